package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const page = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>%[1]s</title>
<h1>Workspace %[1]s</h1>
<p>The light image: no IDE, a few MB. It serves <a href="files/">your home</a>.</p>
</html>
`

const chunkSize = 64 << 10

func routes(home string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", index)
	mux.HandleFunc("GET /healthz", health)
	mux.HandleFunc("/_echo", echoHTTP)
	mux.HandleFunc("/_respond", respond)
	mux.HandleFunc("GET /echo", echoWebSocket)
	mux.HandleFunc("GET /big", big)
	mux.HandleFunc("/slow", slow)
	mux.Handle("GET /files/", http.StripPrefix("/files/", http.FileServer(http.Dir(home))))
	mux.HandleFunc("PUT /files/{name}", func(w http.ResponseWriter, r *http.Request) { save(home, w, r) })
	return mux
}

func index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, page, env("CODEHUB_ID", "light"))
}

// health answers 503 while LIGHT_UNHEALTHY is set: a workspace that starts and never becomes ready.
func health(w http.ResponseWriter, _ *http.Request) {
	if os.Getenv("LIGHT_UNHEALTHY") != "" {
		http.Error(w, "unhealthy", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

type head struct {
	Method   string              `json:"method"`
	URI      string              `json:"uri"`
	Proto    string              `json:"proto"`
	Host     string              `json:"host"`
	Headers  map[string][]string `json:"headers"`
	Length   int64               `json:"content_length"`
	Transfer []string            `json:"transfer_encoding"`
}

// echoHTTP answers with the request's head as JSON; with a body, the head goes into X-Echo-Head (base64) and
// the body streams back as it comes.
func echoHTTP(w http.ResponseWriter, r *http.Request) {
	seen, err := json.Marshal(head{r.Method, r.RequestURI, r.Proto, r.Host, r.Header, r.ContentLength, r.TransferEncoding})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if r.ContentLength == 0 {
		w.Header().Set("Content-Type", "application/json")
		w.Write(seen)
		return
	}
	w.Header().Set("X-Echo-Head", base64.StdEncoding.EncodeToString(seen))
	w.Header().Set("Content-Type", "application/octet-stream")
	stream(w, r.Body)
}

func stream(w http.ResponseWriter, body io.Reader) {
	control := http.NewResponseController(w)
	if err := control.EnableFullDuplex(); err != nil {
		return
	}
	buffer := make([]byte, chunkSize)
	for {
		n, err := body.Read(buffer)
		if _, failed := w.Write(buffer[:n]); failed != nil || err != nil {
			return
		}
		control.Flush()
	}
}

// respond answers as the query says: ?status=302&header=Location:/x&header=Set-Cookie:a=b&body=text
func respond(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	for _, line := range query["header"] {
		name, value, _ := strings.Cut(line, ":")
		w.Header().Add(name, strings.TrimSpace(value))
	}
	w.WriteHeader(number(query.Get("status"), http.StatusOK))
	io.WriteString(w, query.Get("body"))
}

// big answers ?bytes=N zero bytes with their Content-Length.
func big(w http.ResponseWriter, r *http.Request) {
	left := number(r.URL.Query().Get("bytes"), 1<<20)
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(left))
	chunk := make([]byte, chunkSize)
	for left > 0 {
		n, err := w.Write(chunk[:min(left, chunkSize)])
		if err != nil {
			return
		}
		left -= n
	}
}

// slow waits ?head=SECONDS before the head and ?body=SECONDS in the middle of the body; it ends with its client.
func slow(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if !wait(r, query.Get("head"), 5) {
		return
	}
	io.WriteString(w, "slow ")
	http.NewResponseController(w).Flush()
	if wait(r, query.Get("body"), 0) {
		io.WriteString(w, "done\n")
	}
}

func wait(r *http.Request, seconds string, fallback float64) bool {
	duration, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		duration = fallback
	}
	select {
	case <-time.After(time.Duration(duration * float64(time.Second))):
		return true
	case <-r.Context().Done():
		return false
	}
}

// save writes the body to a file of the home: a marker that a restart has to keep.
func save(home string, w http.ResponseWriter, r *http.Request) {
	file, err := os.Create(filepath.Join(home, filepath.Base(r.PathValue("name"))))
	if err == nil {
		_, err = io.Copy(file, r.Body)
		err = firstError(err, file.Close())
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func number(text string, fallback int) int {
	value, err := strconv.Atoi(text)
	if err != nil || value < 0 {
		return fallback
	}
	return value
}
