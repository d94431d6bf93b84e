// Command probe shows what can be reached from inside a workspace: the runner starts it twice on the network of
// the workspaces, asks the one to try the other's and the host's addresses, and reads what came of it.
//
// It decides nothing and knows no rule: it listens (TCP on every address, HTTP on its run folder's socket, the one
// way that is allowed), dials what it is told to, and looks for sockets in all files that it sees. What it listens
// on answers with its token, so that whoever gets in can say whom it reached. It ends by itself.
package main

import (
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// Version of what is spoken with the runner; it refuses another one.
const version = 1

// No probe takes this long; a runner that was killed leaves none behind.
const life = time.Minute

func main() {
	log.SetFlags(0)
	go endInTime()
	if err := run(os.Getenv("PROBE_TOKEN"), "/run/codehub/ide.sock"); err != nil {
		log.Fatalf("probe: %v", err)
	}
}

func run(token, path string) error {
	tcp, err := net.Listen("tcp", ":0")
	if err != nil {
		return err
	}
	go tell(tcp, token)
	syscall.Umask(0o117)
	// Under another name until it listens: the runner takes the socket's being there for being served.
	unix, err := net.Listen("unix", filepath.Join(filepath.Dir(path), "new.sock"))
	if err != nil {
		return err
	}
	if err := os.Rename(unix.Addr().String(), path); err != nil {
		return err
	}
	return http.Serve(unix, routes(token, tcp.Addr().(*net.TCPAddr).Port))
}

// tell answers every connection with the token.
func tell(listener net.Listener, token string) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatalf("probe: %v", err)
		}
		connection.Write([]byte(token))
		connection.Close()
	}
}

func routes(token string, port int) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_ping", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(token)) })
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"version": version, "port": port, "addresses": addresses()})
	})
	mux.HandleFunc("POST /try", func(w http.ResponseWriter, r *http.Request) {
		var asked tasks
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer(w, try(asked))
	})
	return mux
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}

func endInTime() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	select {
	case <-signals:
	case <-time.After(life):
	}
	os.Exit(0)
}
