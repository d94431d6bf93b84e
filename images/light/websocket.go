package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const (
	acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xA
	maxFrame   = 256 << 20
)

var errFrame = errors.New("a frame that RFC 6455 does not allow from a client")

// echoWebSocket sends every frame back as it came (same opcode, fragmentation and length), answers pings, and
// echoes the close. The first subprotocol asked for is chosen.
func echoWebSocket(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || key == "" {
		http.Error(w, "this is a WebSocket endpoint", http.StatusUpgradeRequired)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	buffered.WriteString(handshake(key, r.Header.Get("Sec-WebSocket-Protocol")))
	for err == nil {
		if err = buffered.Flush(); err == nil {
			err = echoFrame(buffered)
		}
	}
	buffered.Flush()
}

func handshake(key, protocols string) string {
	sum := sha1.Sum([]byte(key + acceptGUID))
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n"
	if first, _, _ := strings.Cut(protocols, ","); first != "" {
		answer += "Sec-WebSocket-Protocol: " + strings.TrimSpace(first) + "\r\n"
	}
	return answer + "\r\n"
}

// echoFrame answers one frame; io.EOF after a close.
func echoFrame(rw *bufio.ReadWriter) error {
	first, payload, err := readFrame(rw.Reader)
	if err != nil {
		return err
	}
	switch first & 0x0F {
	case opPong:
		return nil
	case opPing:
		first = first&0xF0 | opPong
	}
	if err := writeFrame(rw.Writer, first, payload); err != nil {
		return err
	}
	if first&0x0F == opClose {
		return io.EOF
	}
	return nil
}

func readFrame(r io.Reader) (byte, []byte, error) {
	var start [2]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return 0, nil, err
	}
	length, err := readLength(r, start[1]&0x7F)
	if err != nil || start[1]&0x80 == 0 || length > maxFrame {
		return 0, nil, firstError(err, fmt.Errorf("%w: %d bytes", errFrame, length))
	}
	var mask [4]byte
	if _, err := io.ReadFull(r, mask[:]); err != nil {
		return 0, nil, err
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, err
	}
	for i := range payload {
		payload[i] ^= mask[i&3]
	}
	return start[0], payload, nil
}

func readLength(r io.Reader, short byte) (uint64, error) {
	switch short {
	case 126:
		var n uint16
		err := binary.Read(r, binary.BigEndian, &n)
		return uint64(n), err
	case 127:
		var n uint64
		err := binary.Read(r, binary.BigEndian, &n)
		return n, err
	}
	return uint64(short), nil
}

func writeFrame(w *bufio.Writer, first byte, payload []byte) error {
	start := []byte{first}
	switch n := len(payload); {
	case n < 126:
		start = append(start, byte(n))
	case n < 1<<16:
		start = binary.BigEndian.AppendUint16(append(start, 126), uint16(n))
	default:
		start = binary.BigEndian.AppendUint64(append(start, 127), uint64(n))
	}
	if _, err := w.Write(start); err != nil {
		return err
	}
	_, err := w.Write(payload)
	return err
}
