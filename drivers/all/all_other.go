//go:build !linux

package all

// Elsewhere than on Linux there are network scanners, folders and the simulated scanner.
var local, cameras []Driver
