package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"codehub.local/caddy/body"
)

// most is the most bytes of a body: a workspace's is some thousand, and its variables.
const most = 256 << 10

func init() {
	caddy.RegisterModule(engineBody{})
	httpcaddyfile.RegisterHandlerDirective("engine_body", parse)
}

// engineBody passes a call on with its body as it was read, or answers 403. As a directive:
//
//	engine_body <rule> <run folders' parent> <network>
type engineBody struct {
	// Rule is the call's name in engine-calls.map; placeholders are replaced.
	Rule  string     `json:"rule"`
	House body.House `json:"house"`
}

// CaddyModule says what it is to Caddy.
func (engineBody) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.engine_body",
		New: func() caddy.Module { return new(engineBody) },
	}
}

func parse(helper httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(engineBody)
	return handler, handler.UnmarshalCaddyfile(helper.Dispenser)
}

// UnmarshalCaddyfile reads the directive.
func (b *engineBody) UnmarshalCaddyfile(words *caddyfile.Dispenser) error {
	words.Next()
	if !words.AllArgs(&b.Rule, &b.House.Run, &b.House.Network) {
		return words.ArgErr()
	}
	return nil
}

// Validate refuses to serve with a house that would let more through than meant.
func (b *engineBody) Validate() error {
	return b.House.Validate()
}

func (b *engineBody) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	sent, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return refuse(w, http.StatusRequestEntityTooLarge, "this body is too large")
	}
	if err != nil {
		return err
	}
	rule := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer).ReplaceAll(b.Rule, "")
	read, err := b.House.Read(rule, sent)
	if err != nil {
		return refuse(w, http.StatusForbidden, fmt.Sprintf("this body: %s", err))
	}
	// What was read is what goes on: no other reader may find something else in it.
	r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(read)), int64(len(read)), nil
	if len(read) == 0 {
		r.Body = http.NoBody
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Del("Content-Encoding")
	r.Header.Del("Content-Length")
	r.Trailer = nil
	return next.ServeHTTP(w, r)
}

func refuse(w http.ResponseWriter, status int, why string) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(map[string]string{"message": "the engine proxy refuses " + why})
}

var (
	_ caddy.Validator             = (*engineBody)(nil)
	_ caddyhttp.MiddlewareHandler = (*engineBody)(nil)
	_ caddyfile.Unmarshaler       = (*engineBody)(nil)
)
