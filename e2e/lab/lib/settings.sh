# shellcheck shell=bash disable=SC2034
# What the lab is called, where it keeps its things and which addresses it uses. Sourced by every script of the lab.

# The folder of the lab: root's own, without spaces, short (sockets live in it).
LAB=${WASMGEAR_LAB:-/var/lib/wasmgear-lab}
# One lab per machine: addresses and routes on the machine are the same for all.
LOCK=/run/wasmgear-lab.lock
# Everything that the lab runs is in this cgroup, and nothing else is.
CGROUP=wasmgear-lab
NODE=lab
# The machine's end of the cable to the lab.
CABLE=wglab0

# Ranges for documentation (RFC 5737) and, for the cable, for benchmarks (RFC 2544): nobody routes them, so they collide
# with nothing that is real.
NODE_IP=198.18.255.1
MACHINE_IP=198.18.255.2
NODE_RANGE=198.18.255.0/30
POD_RANGE=198.51.100.0/24
SERVICE_RANGE=203.0.113.0/24
API_SERVICE_IP=203.0.113.1
DNS_IP=203.0.113.10

PAUSE_IMAGE=wasmgear.test/pause:v1
CNI_PLUGINS=${CNI_PLUGINS:-/usr/lib/cni}
