package body

import "regexp"

var (
	folderName = regexp.MustCompile(`^\.?[\w-][\w.-]*$`)
	homeName   = regexp.MustCompile(`^[a-z0-9][\w.-]*-home-[1-9][0-9]*$`)
	// The isolation probe makes networks of its own before the first `up`.
	networkEnd = regexp.MustCompile(`^(-[0-9a-f]{8})?$`)
)

// The same stands in stacks/programs/{inputs,shape}.py; the life in tests/deploy fails when they differ.
const (
	user         = "1000:1000"
	homePath     = "/home/coder"
	runPath      = "/run/codehub"
	noPrivileges = "no-new-privileges:true"
	noTraffic    = "com.docker.network.bridge.enable_icc"
)

// calls are the bodies by the names of the rules in engine-calls.map. Calls that are not here have none.
func (h House) calls() map[string]check {
	return map[string]check{
		"container-create": h.container(),
		"container-update": update(),
		"exec-create":      exec(),
		"exec-start":       fields(map[string]check{"Detach": flag, "Tty": flag}),
		"volume-create":    volume(),
		"network-create":   h.network(),
		"network-connect":  fields(map[string]check{"Container": text}, "Container"),
	}
}

func (h House) container() check {
	known := fields(map[string]check{
		"Image":            text,
		"User":             exactly(user),
		"Env":              each(text),
		"Labels":           texts,
		"HostConfig":       h.host(),
		"NetworkingConfig": unset,
	}, "Image", "User", "HostConfig")
	// An empty word is a command of one word.
	return unsaid(known, "Cmd", "Entrypoint")
}

func update() check {
	// Other limits of 0 stay as they are; this one goes.
	return unsaid(fields(limits(map[string]check{"RestartPolicy": restart()})), "PidsLimit")
}

func (h House) host() check {
	mount := either(
		fields(map[string]check{
			"Type": exactly("volume"), "Source": like(homeName), "Target": exactly(homePath),
		}, "Type", "Source", "Target"),
		fields(map[string]check{
			"Type": exactly("bind"), "Source": h.folder(""), "Target": exactly(runPath),
		}, "Type", "Source", "Target"),
	)
	return fields(limits(map[string]check{
		"NetworkMode":   h.networkName(),
		"CapDrop":       only("ALL"),
		"SecurityOpt":   only(noPrivileges),
		"Mounts":        each(mount),
		"Binds":         each(h.folder(":" + runPath)),
		"RestartPolicy": restart(),
		"LogConfig":     logs(),
		"AutoRemove":    flag,
		"ConsoleSize":   unset,
		"CapAdd":        unset,
		"Devices":       unset,
	}), "NetworkMode", "CapDrop", "SecurityOpt")
}

// limits adds what a container may use to other names: at its creation and later.
func limits(others map[string]check) map[string]check {
	for _, name := range []string{"Memory", "MemorySwap", "NanoCpus", "PidsLimit"} {
		others[name] = size
	}
	return others
}

func restart() check {
	return fields(map[string]check{"Name": either(exactly("unless-stopped"), exactly("no"))})
}

func logs() check {
	options := fields(map[string]check{"max-size": text, "max-file": text})
	return fields(map[string]check{"Type": exactly("json-file"), "Config": options}, "Type")
}

func exec() check {
	return fields(map[string]check{
		"User": exactly(user), "Cmd": each(text), "Env": each(text), "WorkingDir": text, "DetachKeys": text,
		"Tty": flag, "AttachStdin": flag, "AttachStdout": flag, "AttachStderr": flag,
	}, "User")
}

func volume() check {
	return fields(map[string]check{
		"Name": like(homeName), "Driver": exactly("local"), "DriverOpts": unset, "Labels": texts,
	}, "Name")
}

func (h House) network() check {
	options := fields(map[string]check{noTraffic: exactly("false")}, noTraffic)
	addresses := fields(map[string]check{"Driver": exactly("default"), "Config": unset, "Options": unset})
	return fields(map[string]check{
		"Name": h.networkName(), "Driver": exactly("bridge"), "Options": options, "IPAM": addresses, "Labels": texts,
		"CheckDuplicate": flag,
	}, "Name", "Driver", "Options")
}
