// Package maxprocs stands in for the module that the CLI calls first of all, to count the cores that a control group
// leaves it: Go does that itself by now. Ours lets a CLI be started before its operation is known. It then waits here,
// with its own start and the key's derivation behind it, which are three quarters of the time before the first resource.
// stacks/engine/held.py is the other end.
package maxprocs

import (
	"bufio"
	"encoding/json"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"github.com/pulumi/pulumi/pkg/v3/secrets/passphrase"
)

const (
	descriptor = "CODEHUB_HOLD"
	salt       = "CODEHUB_HOLD_SALT"
)

// order is what a held CLI is to do: what another one is started with.
type order struct {
	Arguments   []string          `json:"arguments"`
	Environment map[string]string `json:"environment"`
}

// Set waits for the order where CODEHUB_HOLD names the descriptor of a socket, and ends the CLI where none comes.
func Set() (func(), error) {
	number, err := strconv.Atoi(os.Getenv(descriptor))
	if err != nil {
		return func() {}, nil // an ordinary start
	}
	syscall.CloseOnExec(number) // plugins have nothing to do with it
	derive(os.Getenv("PULUMI_CONFIG_PASSPHRASE_FILE"), os.Getenv(salt))
	debug.FreeOSMemory() // it may wait for days
	socket := os.NewFile(uintptr(number), "hold")
	if _, err := socket.WriteString("held\n"); err != nil {
		os.Exit(1)
	}
	orders := bufio.NewReader(socket)
	found, err := next(orders)
	if err != nil {
		os.Exit(1) // whoever started it is gone
	}
	_ = os.Unsetenv(descriptor)
	_ = os.Unsetenv(salt)
	os.Args = append(os.Args[:1], found.Arguments...)
	found.set()
	go follow(socket, orders)
	return func() {}, nil
}

// follow takes what becomes known of the environment while the CLI is at work, and says when it did.
func follow(socket *os.File, orders *bufio.Reader) {
	for {
		found, err := next(orders)
		if err != nil {
			return // there is no more
		}
		found.set()
		if _, err := socket.WriteString("set\n"); err != nil {
			return
		}
	}
}

// derive has the CLI remember the key of a salt. What is wrong with either is told when they are used.
func derive(file, salt string) {
	if salt == "" {
		return
	}
	if phrase, err := os.ReadFile(file); err == nil {
		_, _ = passphrase.GetPassphraseSecretsManager(strings.TrimSpace(string(phrase)), salt)
	}
}

func next(orders *bufio.Reader) (found order, err error) {
	line, err := orders.ReadBytes('\n')
	if err != nil {
		return found, err
	}
	return found, json.Unmarshal(line, &found)
}

func (it order) set() {
	for name, value := range it.Environment {
		_ = os.Setenv(name, value)
	}
}
