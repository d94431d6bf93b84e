// Command light is a workspace image's only program where no IDE is wanted: tests, benchmarks, large fleets.
//
// It keeps the image contract (a unix socket, mode 0660, a stale one replaced, GET /healthz, a fast end on
// SIGTERM) and offers what a proxy's tests need: echoes of HTTP and WebSocket, large and slow answers, files
// of the home. It knows no users: the socket's permissions are its guard.
package main

import (
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatalf("light: %v", err)
	}
}

func run() error {
	if delay, err := time.ParseDuration(os.Getenv("LIGHT_START_DELAY")); err == nil {
		time.Sleep(delay)
	}
	// Before anybody can see that it serves: who then ends it must not find the default.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	listener, err := listen(env("CODEHUB_SOCKET", "/run/codehub/ide.sock"))
	if err != nil {
		return err
	}
	go endOnSignal(signals, listener)
	log.Printf("light: serving on %s", listener.Addr())
	server := &http.Server{Handler: routes(env("HOME", "/home/coder")), ReadHeaderTimeout: 30 * time.Second}
	if err := server.Serve(listener); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// listen replaces a socket that a killed process left behind; the new one is never wider than 0660.
func listen(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != os.ModeSocket {
			return nil, fmt.Errorf("%s is there and is no socket", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	defer syscall.Umask(syscall.Umask(0o117))
	return net.Listen("unix", path)
}

func endOnSignal(signals <-chan os.Signal, listener net.Listener) {
	log.Printf("light: ending on %s", <-signals)
	listener.Close() // also removes the socket
	os.Exit(0)
}

func env(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
