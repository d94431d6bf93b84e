package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// What a socket in the files is asked: a container engine answers it with its version, we with the token.
const ping = "GET /_ping HTTP/1.0\r\nHost: localhost\r\n\r\n"

// Of what a listener says, this much is read.
const most = 1024

type tasks struct {
	Milliseconds int      `json:"milliseconds"`
	Dial         []target `json:"dial"`
	Resolve      []string `json:"resolve"`
}

type target struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// result of one attempt: connected says whether a connection was made; said, what came over it; failure, why not.
type result struct {
	Name      string `json:"name"`
	Address   string `json:"address"`
	Connected bool   `json:"connected"`
	Said      string `json:"said"`
	Failure   string `json:"failure"`
}

type results struct {
	Dialled  []result `json:"dialled"`
	Sockets  []result `json:"sockets"`
	Resolved []result `json:"resolved"`
}

// try does everything at once: what is filtered silently takes the whole patience.
func try(asked tasks) results {
	patience := time.Duration(asked.Milliseconds) * time.Millisecond
	found := sockets("/")
	done := results{
		Dialled:  make([]result, len(asked.Dial)),
		Sockets:  make([]result, len(found)),
		Resolved: make([]result, len(asked.Resolve)),
	}
	var all sync.WaitGroup
	each := func(into *result, attempt func() result) {
		all.Go(func() { *into = attempt() })
	}
	for i, to := range asked.Dial {
		each(&done.Dialled[i], func() result { return dial(to, "tcp", zoned(to.Address), "", patience) })
	}
	for i, path := range found {
		each(&done.Sockets[i], func() result { return dial(target{"socket", path}, "unix", path, ping, patience) })
	}
	for i, name := range asked.Resolve {
		each(&done.Resolved[i], func() result { return resolve(name, patience) })
	}
	all.Wait()
	return done
}

func dial(to target, network, address, say string, patience time.Duration) result {
	done := result{Name: to.Name, Address: to.Address}
	connection, err := net.DialTimeout(network, address, patience)
	if err != nil {
		done.Failure = reason(err)
		return done
	}
	defer connection.Close()
	done.Connected = true
	connection.SetDeadline(time.Now().Add(patience))
	io.WriteString(connection, say)
	said, _ := io.ReadAll(io.LimitReader(connection, most))
	done.Said = string(said)
	return done
}

func resolve(name string, patience time.Duration) result {
	done := result{Name: name}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	found, err := net.DefaultResolver.LookupHost(ctx, name)
	if err != nil {
		done.Failure = reason(err)
		return done
	}
	done.Connected, done.Address = true, found[0]
	return done
}

// reason gives the kernel's number by name where there is one, which says who refused.
func reason(err error) string {
	var number syscall.Errno
	switch {
	case !errors.As(err, &number):
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return "timeout"
		}
		return err.Error()
	case number == syscall.ENOPROTOOPT:
		return "ENOPROTOOPT"
	default:
		return number.Error()
	}
}

// sockets lists all sockets in the files that are seen from here. In /proc and /sys there are none.
func sockets(root string) []string {
	found := []string{}
	filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if entry.IsDir() && (path == "/proc" || path == "/sys") {
			return filepath.SkipDir
		}
		// A mounted socket's entry in its folder says "file": only the file itself says what it is.
		if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
			found = append(found, path)
		}
		return nil
	})
	return found
}
