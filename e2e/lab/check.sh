#!/usr/bin/env bash
# check.sh [ROUNDS] - the lab's own test: does it run pods, and does it leave nothing? ROUNDS (2) times in a row:
#
#   up from nothing · a pod from an image of ours · the names of Services · Services from pods and from this machine ·
#   logs, exec, port-forward · pods reach no further than the lab · up again is a matter of seconds · `up` killed at
#   several moments, then up again · down leaves nothing
#
# It takes the lab that is there down first, when nobody uses it.
set -euo pipefail
PART=check
HERE=$(cd "$(dirname "$0")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
ROUNDS=${1:-2}
# shellcheck source=.ci/lib.sh
. "$TOP/.ci/lib.sh"
# shellcheck source=e2e/lab/lib/settings.sh
. "$HERE/lib/settings.sh"
# shellcheck source=e2e/lab/lib/process.sh
. "$HERE/lib/process.sh"

OUT=$TOP/target/logs/lab-check
passed=0
lab() { "$HERE/lab" "$@"; }
kube() { lab kubectl "$@"; }

# expect WHAT PATTERN COMMAND… - the command's output has to match, within 30 s.
expect() {
    local what=$1 pattern=$2 began=$SECONDS
    shift 2
    until "$@" >"$OUT/last" 2>&1 && grep -qE "$pattern" "$OUT/last"; do
        ((SECONDS - began < 30)) || fail "$what: no '$pattern' within 30 s in what '$*' says" "$OUT/last"
        sleep 0.2
    done
    pass "$what"
}
refuse() {
    local what=$1
    shift
    if "$@" >"$OUT/last" 2>&1; then fail "$what: '$*' went through" "$OUT/last"; fi
    pass "$what"
}
pass() {
    passed=$((passed + 1))
    say "  ok  $1"
}

# surroundings - everything of the machine that a lab could change and leave behind.
surroundings() {
    find /run /var/lib /var/log /etc /opt -xdev -maxdepth 2 \( -name '*containerd*' -o -name '*kube*' -o -name '*cni*' -o -name '*wasmgear*' -o -name containers \) 2>/dev/null | sort
    awk '{print $2}' /proc/self/mounts | sort | grep -v "^/proc/sys/fs/binfmt" || true
    ip -o link | awk -F': ' '{print "link " $2}' | sort
    ip route | sort
    nft list tables 2>/dev/null || true
    cgroup_roots | while read -r root; do find "$root" -maxdepth 1 -name "$CGROUP"; done
    sysctl vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops net.ipv4.ip_forward
    # A zombie is nobody's process any more, only waits for the machine's init.
    pgrep -r R,S,D,I,T -fa "$LAB|/e2e/lab/node.sh" | cut -d' ' -f2- || true
}

run_pod() {
    # The pod's own name is in its /etc/hosts: the Service needs another one.
    kube run pod-of-probe --image=wasmgear.test/probe:v1 --image-pull-policy=Never --restart=Never -- serve >"$OUT/last"
    kube expose pod pod-of-probe --name=probe --port=80 --target-port=8080 >"$OUT/last"
    kube wait --for=condition=Ready pod/pod-of-probe --timeout=60s >"$OUT/last" || fail "the pod did not become ready" "$LAB/log/kubelet.log"
    pass "a pod runs from an image of ours"
    # DNS and NATS are the last things that up makes: a lab that is only half there lacks them.
    expect "a name is known in a pod, and behind it is NATS" 'server_name.*lab' kube exec pod-of-probe -- /probe get http://nats.nats.svc.cluster.local:8222/varz
}

pods() {
    local ip service port forward
    run_pod
    ip=$(kube get pod pod-of-probe -o 'jsonpath={.status.podIP}')
    service=$(kube get service probe -o 'jsonpath={.spec.clusterIP}')
    expect "exec, and the name of a Service from a pod" "^$service$" kube exec pod-of-probe -- /probe resolve probe
    refuse "a name outside of the cluster is unknown" kube exec pod-of-probe -- /probe resolve example.com
    expect "a pod reaches a Service by name, itself behind it" 'probe answers' kube exec pod-of-probe -- /probe get http://probe/
    expect "this machine reaches a pod" 'probe answers' "$TOP/target/bin/probe" get "http://$ip:8080/"
    expect "this machine reaches a Service" 'probe answers' "$TOP/target/bin/probe" get "http://$service/"
    expect "logs" 'asked by' kube logs pod-of-probe
    walled
    "$HERE/lab" kubectl port-forward pod/pod-of-probe :8080 >"$OUT/forward" 2>&1 &
    forward=$!
    wait_for 20 "port-forward does not listen" "$OUT/forward" grep -q 'Forwarding from 127' "$OUT/forward"
    port=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) .*/\1/p' "$OUT/forward")
    expect "port-forward" 'probe answers' "$TOP/target/bin/probe" get "http://127.0.0.1:$port/"
    kill "$forward"
    wait "$forward" 2>/dev/null || true
    expect "the audit log has who wrote what" '"username":"admin".*"resource":"pods"' grep -m1 '"resource":"pods".*"name":"pod-of-probe"' "$LAB/log/audit.log"
}

# walled - a server of this machine, on the lab's cable: the machine reaches it there, a pod does not.
walled() {
    local server port
    "$TOP/target/bin/probe" serve "$MACHINE_IP:0" >"$OUT/server" 2>&1 &
    server=$!
    wait_for 10 "the machine's probe does not listen" "$OUT/server" grep -q 'serves on' "$OUT/server"
    port=$(sed -n 's/^probe serves on .*:\([0-9]*\)$/\1/p' "$OUT/server")
    expect "a server of this machine answers this machine" 'probe answers' "$TOP/target/bin/probe" get "http://$MACHINE_IP:$port/"
    refuse "and no pod" kube exec pod-of-probe -- /probe get "http://$MACHINE_IP:$port/"
    kill "$server"
    wait "$server" 2>/dev/null || true
}

# together - two runs at once: one makes the lab, the other waits for it and uses it.
together() {
    local other status=0
    "$HERE/lab" up >"$OUT/first" 2>&1 &
    other=$!
    "$HERE/lab" up >"$OUT/second" 2>&1 || fail "the second of two runs at once failed" "$OUT/second"
    wait "$other" || status=$?
    ((status == 0)) || fail "the first of two runs at once failed" "$OUT/first"
    [ "$(cat "$OUT/first" "$OUT/second" | grep -c 'is up already')" = 1 ] || fail "of two runs at once, not exactly one made the lab" "$OUT/second"
}

# interrupted - `up` ended by SIGKILL after a while, alone, so that all its children live on; then up has to work.
interrupted() {
    local up
    "$HERE/lab" up >"$OUT/killed-$1" 2>&1 &
    up=$!
    sleep "$1"
    kill -KILL "$up" 2>/dev/null || fail "up was complete within $1 s, too early to be killed" "$OUT/killed-$1"
    wait "$up" 2>/dev/null || true
}

round() {
    local began=$SECONDS at node
    lab down 2>"$OUT/last" || fail "the lab can not be taken down" "$OUT/last"
    surroundings >"$OUT/before"
    lab up 2>&1 | tee "$OUT/up" >&2
    pass "up from nothing in $(took "$began")"
    pods
    began=$SECONDS
    node=$(cat "$LAB/run/node")
    lab up 2>"$OUT/last"
    [ "$(cat "$LAB/run/node")" = "$node" ] || fail "up of a lab that is up made it anew" "$OUT/last"
    pass "up again, the same lab, in $(took "$began")"
    refuse "down while somebody uses the lab" lab run -- "$HERE/lab" down
    lab down 2>"$OUT/last"
    for at in 0.4 1.5 4; do
        interrupted "$at"
        pass "up killed after $at s"
    done
    began=$SECONDS
    together
    pass "up after three killed runs, by two runs at once, in $(took "$began")"
    run_pod
    began=$SECONDS
    lab down 2>"$OUT/last"
    surroundings >"$OUT/after"
    diff "$OUT/before" "$OUT/after" >"$OUT/left" || fail "down left something (< before, > after)" "$OUT/left"
    pass "down in $(took "$began"), nothing is left"
}

mkdir -p "$OUT"
began=$SECONDS
for n in $(seq "$ROUNDS"); do
    say "round $n of $ROUNDS"
    round
done
say "$passed checks passed, 0 ignored, in $(took "$began")"
