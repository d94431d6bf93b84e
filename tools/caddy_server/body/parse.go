package body

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// deepest is how far values may lie in each other; Docker's lie five deep.
const deepest = 12

// parse reads one JSON value. It is stricter than encoding/json, with which the engine reads: there the last of two
// equal names counts, and names are equal in any case, also by letters outside of ASCII (`Bindſ`).
func parse(data []byte) (any, error) {
	if !json.Valid(data) {
		return nil, errors.New("is not one JSON value")
	}
	tokens := json.NewDecoder(bytes.NewReader(data))
	tokens.UseNumber()
	return value(tokens, 0)
}

func value(tokens *json.Decoder, depth int) (any, error) {
	token, err := tokens.Token()
	if err != nil {
		return nil, err
	}
	opening, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth == deepest {
		return nil, errors.New("is too deep")
	}
	var read any
	if opening == '{' {
		read, err = object(tokens, depth+1)
	} else {
		read, err = array(tokens, depth+1)
	}
	if err != nil {
		return nil, err
	}
	_, err = tokens.Token() // what closes it
	return read, err
}

func object(tokens *json.Decoder, depth int) (any, error) {
	read, seen := map[string]any{}, map[string]bool{}
	for tokens.More() {
		token, err := tokens.Token()
		if err != nil {
			return nil, err
		}
		name := token.(string)
		folded := strings.ToLower(name)
		if seen[folded] {
			return nil, fmt.Errorf("names %q twice", name)
		}
		if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
			return nil, fmt.Errorf("has the name %q", name)
		}
		seen[folded] = true
		if read[name], err = value(tokens, depth); err != nil {
			return nil, err
		}
	}
	return read, nil
}

func array(tokens *json.Decoder, depth int) (any, error) {
	read := []any{}
	for tokens.More() {
		one, err := value(tokens, depth)
		if err != nil {
			return nil, err
		}
		read = append(read, one)
	}
	return read, nil
}
