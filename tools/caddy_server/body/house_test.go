package body

import (
	"encoding/json"
	"strings"
	"testing"
)

var here = House{Run: "/data/run", Network: "codehub-net"}

// What Pulumi's plugin sent for a workspace.
const workspace = `{"Hostname":"","User":"1000:1000","AttachStdin":false,"Env":["A=\"Privileged\": true","B=é<>&"],` +
	`"Cmd":null,"Image":"codehub/light","Volumes":null,"Labels":{"codehub.workspace":"one"},"HostConfig":{"Binds":null,` +
	`"LogConfig":{"Type":"json-file","Config":{"max-file":"3","max-size":"10m"}},"NetworkMode":"codehub-net",` +
	`"RestartPolicy":{"Name":"unless-stopped","MaximumRetryCount":0},"AutoRemove":false,"ConsoleSize":[0,0],` +
	`"CapAdd":[],"CapDrop":["ALL"],"PidMode":"","Privileged":false,"SecurityOpt":["no-new-privileges:true"],` +
	`"Memory":1073741824,"NanoCpus":2000000000,"MemorySwap":1073741824,"MemorySwappiness":null,"Mounts":` +
	`[{"Type":"volume","Source":"codehub-ws-one-home-1","Target":"/home/coder"},` +
	`{"Type":"bind","Source":"/data/run/one","Target":"/run/codehub"}],"MaskedPaths":null,"Init":false},` +
	`"NetworkingConfig":{"EndpointsConfig":null}}`

const net = `{"CheckDuplicate":true,"Name":"codehub-net","Driver":"bridge","Scope":"","IPAM":{"Driver":"default","Options":null,"Config":[]},"Internal":false,` +
	`"Options":{"com.docker.network.bridge.enable_icc":"false"},"Labels":{"codehub.prefix":"codehub-ws-"}}`

var whole = map[string]string{
	"container-create": workspace,
	"container-update": `{"CpuShares":0,"Memory":805306368,"MemorySwap":805306368,"PidsLimit":256,"Devices":null}`,
	"exec-create":      `{"User":"1000:1000","Cmd":["sh","-c","id"],"Tty":true,"AttachStdout":true,"Privileged":false}`,
	"exec-start":       `{"Detach":false,"Tty":true}`,
	"volume-create":    `{"Name":"codehub-ws-one-home-2","Driver":"local","Labels":{"codehub.home":"2"}}`,
	"network-create":   net,
	"network-connect":  `{"Container":"0123456789ab"}`,
	"container-start":  ``,
	"container-stop":   `{}`,
	"container-list":   `null`,
}

func TestWhatIsSentPassesAsItWasRead(t *testing.T) {
	for rule, sent := range whole {
		read, err := here.Read(rule, []byte(sent))
		if err != nil {
			t.Errorf("%s: %v", rule, err)
		}
		if here.calls()[rule] == nil {
			if len(read) != 0 {
				t.Errorf("%s: passed %s on", rule, read)
			}
			continue
		}
		again, err := here.Read(rule, read)
		if err != nil || string(again) != string(read) || !json.Valid(read) {
			t.Errorf("%s: %s became %s, %v", rule, sent, read, err)
		}
	}
}

func TestNumbersStayExact(t *testing.T) {
	read, err := here.Read("container-update", []byte(`{"Memory":9007199254740993}`))
	if err != nil || string(read) != `{"Memory":9007199254740993}` {
		t.Errorf("%s, %v", read, err)
	}
}

// Each takes one thing of what passes and puts another in its place: only that can be the reason.
var wrong = []struct{ rule, old, new, why string }{
	{"container-create", `"Privileged":false`, `"Privileged":true`, "HostConfig Privileged is not"},
	{"container-create", `"Privileged":false`, `"privileged":true`, "HostConfig privileged is not"},
	{"container-create", `"Privileged":false`, `"Privileged":false,"privileged":true`, `"privileged" twice`},
	{"container-create", `"Privileged":false`, `"Privileged":true,"Privileged":false`, `"Privileged" twice`},
	{"container-create", `"Privileged":false`, `"Privil\u0065ged":true`, "Privileged is not"},
	{"container-create", `"Binds":null`, "\"Bind\u017f\":[\"/:/host\"]", "has the name"},
	{"container-create", `"Binds":null`, `"Bind\u017f":["/:/host"]`, "has the name"},
	{"container-create", `"User":"1000:1000"`, `"User":"0"`, "User is not"},
	{"container-create", `"User":"1000:1000"`, `"User":"1000:1000","user":""`, "twice"},
	{"container-create", `"User":"1000:1000"`, `"X":null`, "User is missing"},
	{"container-create", `"User":"1000:1000"`, `"X":{"User":"1000:1000"}`, "User is missing"},
	{"container-create", `"CapDrop":["ALL"]`, `"CapDrop":[]`, "CapDrop is not"},
	{"container-create", `"CapDrop":["ALL"]`, `"CapDrop":["ALL","ALL"]`, "CapDrop is not"},
	{"container-create", `"CapAdd":[]`, `"CapAdd":["SYS_ADMIN"]`, "CapAdd is not"},
	{"container-create", `"CapAdd":[]`, `"CapAdd":[[]]`, "CapAdd is not"},
	{"container-create", `["no-new-privileges:true"]`, `["no-new-privileges:true","seccomp=unconfined"]`, "SecurityOpt is not"},
	{"container-create", `["no-new-privileges:true"]`, `"no-new-privileges:true"`, "SecurityOpt is not"},
	{"container-create", `"MaskedPaths":null`, `"MaskedPaths":[]`, "MaskedPaths is not"},
	{"container-create", `"Init":false`, `"ReadonlyPaths":[]`, "ReadonlyPaths is not"},
	{"container-create", `"Init":false`, `"NewInNextYearsEngine":{"HostRoot":true}`, "NewInNextYearsEngine is not"},
	{"container-create", `"PidMode":""`, `"PidMode":"host"`, "PidMode is not"},
	{"container-create", `"NetworkMode":"codehub-net"`, `"NetworkMode":"host"`, "NetworkMode is not"},
	{"container-create", `"NetworkMode":"codehub-net"`, `"NetworkMode":"codehub-nets"`, "NetworkMode is not"},
	{"container-create", `"NetworkMode":"codehub-net"`, `"NetworkMode":""`, "NetworkMode is missing"},
	{"container-create", `{"EndpointsConfig":null}`, `{"EndpointsConfig":{"bridge":{}}}`, "EndpointsConfig is not"},
	{"container-create", `"MemorySwap":1073741824`, `"MemorySwap":-1`, "MemorySwap is not"},
	{"container-create", `"MemorySwap":1073741824`, `"MemorySwap":1e99`, "MemorySwap is not"},
	{"container-create", `"MemorySwap":1073741824`, `"MemorySwap":"1"`, "MemorySwap is not"},
	{"container-create", `"unless-stopped"`, `"always"`, "RestartPolicy Name is not"},
	{"container-create", `"json-file"`, `"syslog"`, "LogConfig Type is not"},
	{"container-create", `"max-file":"3"`, `"syslog-address":"tcp://127.0.0.1:1"`, "LogConfig Config syslog-address is not"},
	{"container-create", `/data/run/one`, `/data/run/..`, "Mounts is not"},
	{"container-create", `/data/run/one`, `/data/run/one/..`, "Mounts is not"},
	{"container-create", `/data/run/one`, `/data/run/`, "Mounts is not"},
	{"container-create", `/data/run/one`, `/data/running`, "Mounts is not"},
	{"container-create", `codehub-ws-one-home-1`, `/var/lib`, "Mounts is not"},
	{"container-create", `codehub-ws-one-home-1`, `database`, "Mounts is not"},
	{"container-create", `"Target":"/home/coder"`, `"Target":"/etc"`, "Mounts is not"},
	{"container-create", `"Target":"/home/coder"`, `"Target":"/home/coder","VolumeOptions":{"DriverConfig":{}}`, "Mounts is not"},
	{"container-create", `"Binds":null`, `"Binds":["/data/run/one:/run/codehub","/:/host"]`, "Binds is not"},
	{"container-create", `"Binds":null`, `"Binds":["/data/run/one:/run/codehub:shared"]`, "Binds is not"},
	{"container-create", `"Binds":null`, `"Binds":{"0":"/:/host"}`, "Binds is not"},
	{"container-create", `"Cmd":null`, `"Cmd":["sh"]`, "Cmd is not"},
	{"container-create", `"Cmd":null`, `"Entrypoint":[]`, "Entrypoint is not"},
	{"container-create", `"Cmd":null`, `"Cmd":""`, "Cmd is not"},
	{"container-create", `"Cmd":null`, `"Entrypoint":""`, "Entrypoint is not"},
	{"container-create", `"Cmd":null`, `"entrypoint":""`, "entrypoint is not"},
	{"container-create", `"Cmd":null`, `"HostConfig":{}`, "twice"},
	{"container-create", `{"codehub.workspace":"one"}`, `{"codehub.workspace":1}`, "Labels is not"},
	{"container-create", `{"codehub.workspace":"one"}`, `[]`, "Labels is not"},
	{"container-create", `"Env":["A`, `"Env":[1,"A`, "Env is not"},
	{"container-create", `"Env":["A`, `"Env":[[[[[[[[[[[[[]]]]]]]]]]]],"A`, "is too deep"},
	{"container-update", `"Devices":null`, `"Devices":[{"PathOnHost":"/dev/sda"}]`, "Devices is not"},
	{"container-update", `"PidsLimit":256`, `"PidsLimit":-1`, "PidsLimit is not"},
	{"container-update", `"PidsLimit":256`, `"PidsLimit":0`, "PidsLimit is not"},
	{"container-update", `"PidsLimit":256`, `"pidsLimit":0`, "pidsLimit is not"},
	{"exec-create", `"User":"1000:1000"`, `"User":"0"`, "User is not"},
	{"exec-create", `"User":"1000:1000",`, ``, "User is missing"},
	{"exec-create", `"Privileged":false`, `"Privileged":true`, "Privileged is not"},
	{"exec-create", `"Tty":true`, `"Tty":1`, "Tty is not"},
	{"volume-create", `"Driver":"local"`, `"Driver":"other"`, "Driver is not"},
	{"volume-create", `"Driver":"local"`, `"DriverOpts":{"type":"none","o":"bind","device":"/"}`, "DriverOpts device is not"},
	{"volume-create", `codehub-ws-one-home-2`, `database`, "Name is not"},
	{"network-create", `"bridge"`, `"macvlan"`, "Driver is not"},
	{"network-create", `"Driver":"bridge",`, ``, "Driver is missing"},
	{"network-create", `"Name":"codehub-net"`, `"Name":"other"`, "Name is not"},
	{"network-create", `"Internal":false`, `"Internal":true`, "Internal is not"},
	{"network-create", `"Internal":false`, `"Attachable":true`, "Attachable is not"},
	{"network-create", `"Internal":false`, `"ConfigFrom":{"Network":"other"}`, "ConfigFrom is not"},
	{"network-create", `"Config":[]`, `"Config":[{"Subnet":"10.0.0.0/8"}]`, "IPAM Config is not"},
	{"network-create", `"default"`, `"other"`, "IPAM Driver is not"},
	{"network-create", `_icc":"false"`, `_icc":"true"`, "Options com.docker.network.bridge.enable_icc is not"},
	{"network-create", `_icc":"false"`, `_icc":"false","com.docker.network.bridge.name":"eth0"`, "bridge.name is not"},
	{"network-create", `_icc":"false"`, `_icc":"false","com.docker.network.bridge.host_binding_ipv4":"0.0.0.0"`, "ipv4 is not"},
	{"network-create", `"Options":{"com.docker.network.bridge.enable_icc":"false"}`, `"Options":{}`, "enable_icc is missing"},
	{"network-connect", `"Container"`, `"EndpointConfig":{"IPAMConfig":{"IPv4Address":"10.0.0.1"}},"Container"`, "EndpointConfig is not"},
	{"network-connect", `"Container"`, `"X":"","container"`, "Container is missing"},
	{"container-stop", `{}`, `{"Privileged":true}`, "is not empty"},
	{"container-list", `null`, `[]`, "is not empty"},
}

func TestWhatIsNotSentIsRefused(t *testing.T) {
	for _, one := range wrong {
		sent := strings.Replace(whole[one.rule], one.old, one.new, 1)
		if sent == whole[one.rule] {
			t.Errorf("%s is not in the body of %s", one.old, one.rule)
		}
		read, err := here.Read(one.rule, []byte(sent))
		if err == nil || read != nil || !strings.Contains(err.Error(), one.why) {
			t.Errorf("%s with %s: %s, %v; want %q", one.rule, one.new, read, err, one.why)
		}
	}
}

func TestWhatIsNoObjectIsRefused(t *testing.T) {
	for _, sent := range []string{``, `{`, `[]`, `"x"`, `null`, `{}{}`, `{} x`, `{"Image":"x",}`, "\xef\xbb\xbf{}"} {
		if read, err := here.Read("container-create", []byte(sent)); err == nil {
			t.Errorf("%q became %s", sent, read)
		}
	}
}

func TestAHouseThatWouldLetMoreThroughIsNone(t *testing.T) {
	if err := here.Validate(); err != nil {
		t.Error(err)
	}
	for _, house := range []House{
		{Run: "", Network: "codehub-net"},
		{Run: "/", Network: "codehub-net"},
		{Run: "run", Network: "codehub-net"},
		{Run: "/data/../run", Network: "codehub-net"},
		{Run: "/data/run/", Network: "codehub-net"},
		{Run: "/data/run", Network: ""},
		{Run: "/data/run", Network: "host"},
		{Run: "/data/run", Network: "container:x"},
	} {
		if house.Validate() == nil {
			t.Errorf("%v is one", house)
		}
	}
}
