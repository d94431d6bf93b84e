// Package body reads what the runner sends to the container engine, and lets through what it really sends: names that
// are listed in calls.go, with values as workspaces have them. It knows nothing of Caddy.
//
// Who sends what: Pulumi's Docker plugin (stacks/programs/docker.py), the isolation probe (stacks/isolation), exec
// (stacks/streams). tests/deploy/test_engine_calls.py takes a workspace through its life behind it.
package body

import (
	"bytes"
	"encoding/json"
	"errors"
	"path"
	"regexp"
	"strings"
)

// House is what bodies of one installation may name.
type House struct {
	// Run is the run folders' parent, as the runner names it.
	Run string `json:"run"`
	// Network is the name of the workspaces' network.
	Network string `json:"network"`
}

var networkName = regexp.MustCompile(`^[a-z][a-z0-9-]{1,40}$`)

// dockers are networks of the engine's own: our rules are not about them.
var dockers = map[string]bool{"host": true, "none": true, "bridge": true, "default": true}

// Validate says what is wrong with a house; a wrong one would let more through than is meant.
func (h House) Validate() error {
	if !path.IsAbs(h.Run) || path.Clean(h.Run) != h.Run || h.Run == "/" {
		return errors.New("CODEHUB_RUN must be an absolute path of a folder, without `..` and a `/` at its end")
	}
	if !networkName.MatchString(h.Network) || dockers[h.Network] {
		return errors.New("CODEHUB_NETWORK must be the name of the workspaces' network")
	}
	return nil
}

// Read gives a call's body, written anew from what was read; nothing where the call needs none.
func (h House) Read(rule string, sent []byte) ([]byte, error) {
	known := h.calls()[rule]
	if known == nil && len(bytes.TrimSpace(sent)) == 0 {
		return nil, nil
	}
	read, err := parse(sent)
	if err != nil {
		return nil, err
	}
	if known == nil {
		return nil, none(read)
	}
	if found := known(read); found != nil {
		return nil, found
	}
	return json.Marshal(read)
}

// none is for calls without a body; clients write `null` and `{}` there.
func none(read any) error {
	if found := field(fields(nil), read); found != nil {
		return errors.New("is not empty, as this call's is")
	}
	return nil
}

func (h House) folder(end string) check {
	return func(value any) *refusal {
		place, _ := value.(string)
		name, inside := strings.CutPrefix(place, h.Run+"/")
		name, ended := strings.CutSuffix(name, end)
		return when(inside && ended && folderName.MatchString(name))
	}
}

func (h House) networkName() check {
	return func(value any) *refusal {
		name, _ := value.(string)
		end, ours := strings.CutPrefix(name, h.Network)
		return when(ours && networkEnd.MatchString(end))
	}
}
