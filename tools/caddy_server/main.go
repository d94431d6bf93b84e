// Command caddy is Caddy with a handler of ours: `engine_body`, by which deploy/engine-proxy.Caddyfile reads bodies.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	_ "github.com/caddyserver/caddy/v2/modules/standard"
)

func main() {
	caddycmd.Main()
}
