package main

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// An IPv6 address is tentative until nobody answered that it is his, for about a second.
const (
	tentative      = 0x40
	addressesWait  = 5 * time.Second
	addressesCheck = 20 * time.Millisecond
)

// addresses gives all but the loopback's, as soon as none is tentative; link-local ones without their zone.
func addresses() []string {
	for end := time.Now().Add(addressesWait); isTentative() && time.Now().Before(end); {
		time.Sleep(addressesCheck)
	}
	found := []string{}
	listed, _ := net.InterfaceAddrs()
	for _, one := range listed {
		prefix, err := netip.ParsePrefix(one.String())
		if err == nil && !prefix.Addr().IsLoopback() {
			found = append(found, prefix.Addr().String())
		}
	}
	return found
}

func isTentative() bool {
	table, _ := os.ReadFile("/proc/net/if_inet6")
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) < 6 {
			continue
		}
		flags, err := strconv.ParseUint(fields[4], 16, 32)
		if err == nil && flags&tentative != 0 {
			return true
		}
	}
	return false
}

// zoned adds the interface to a link-local address: there is one besides the loopback.
func zoned(address string) string {
	host, port, err := net.SplitHostPort(address)
	ip, bad := netip.ParseAddr(host)
	if err != nil || bad != nil || !ip.Is6() || !ip.IsLinkLocalUnicast() || ip.Zone() != "" {
		return address
	}
	all, _ := net.Interfaces()
	for _, one := range all {
		if one.Flags&net.FlagLoopback == 0 && one.Flags&net.FlagUp != 0 {
			return net.JoinHostPort(host+"%"+one.Name, port)
		}
	}
	return address
}
