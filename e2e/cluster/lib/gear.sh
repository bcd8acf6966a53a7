# shellcheck shell=bash
# A gear of its own for each check, and traffic that is counted. Sourced by check.sh.

# begin - chart and modules, when no demo has brought them.
begin() {
    install_chart
    push_modules
    generate -url "$NATS" -count 1 -first 1000000000 -rack nobody >"$OUT/stream.json" 2>"$OUT/stream.log" || fail "stream flux-msg can't be made" "$OUT/stream.log"
}

# space - an empty namespace.
space() {
    kube delete namespace "$SPACE" --ignore-not-found --timeout=90s >"$OUT/space.log" 2>&1 || fail "namespace $SPACE does not go" "$OUT/space.log"
    kube create namespace "$SPACE" >"$OUT/space.log" 2>&1 || fail "namespace $SPACE can't be made" "$OUT/space.log"
}

# gear NAME MODULE [LINES-OF-SPEC] - applies a gear that reads rack <NAME> and writes to gear <NAME>.
gear() {
    kubectl apply -f - >"$OUT/$1.apply.log" 2>&1 <<EOF || fail "the gear $1 is refused" "$OUT/$1.apply.log"
apiVersion: gears.fluxrig.org/v1alpha1
kind: WasmGear
metadata: { name: $1, namespace: $SPACE }
spec:
  module: $2
  input: { rack: $1, gear: line-in }
${3:-}
EOF
}

# serves NAME - waits until it does.
serves() {
    kube wait "wg/$1" -n "$SPACE" --for=condition=Ready --timeout=90s >"$OUT/$1.wait.log" 2>&1 || {
        kube get wg "$1" -n "$SPACE" -o wide >>"$OUT/$1.wait.log" 2>&1
        fail "the gear $1 does not become ready" "$OUT/$1.wait.log"
    }
}

# counting NAME MESSAGES SECONDS - a counter in the background that begins now.
counting() {
    count -url "$NATS" -in "flux.msg.$1.line-in.out" -out "flux.msg.$1.$1.out" -dead "flux.dlq.$SPACE.$1" -from-now \
        -expect "$2" -deadline "${3}s" >"$OUT/$1.count.json" 2>"$OUT/$1.count.log" &
    COUNTER=$!
    wait_for 20 "the counter does not begin" "$OUT/$1.count.log" grep -q reading "$OUT/$1.count.log"
}

# sending NAME MESSAGES RATE - a generator in the background.
sending() {
    generate -url "$NATS" -rack "$1" -gear line-in -rate "$3" -count "$2" >"$OUT/$1.generate.json" 2>"$OUT/$1.generate.log" &
    GENERATOR=$!
}

# counted NAME - waits for both; the counter fails on the first loss, double, dead letter or broken path.
counted() {
    wait "$GENERATOR" || fail "the generator failed" "$OUT/$1.generate.log"
    wait "$COUNTER" || fail "the counter of $1 is not content: $(cat "$OUT/$1.count.json")" "$OUT/$1.count.log"
    pass "$1: $(jq -r '"in \(.in) out \(.out) lost \(.lost) doubled \(.doubled) dead letters \(.dead)"' "$OUT/$1.count.json")"
}

# pod_of SELECTOR NAMESPACE - the name of the one running pod.
pod_of() { kube get pods -n "$2" -l "$1" --field-selector status.phase=Running -o 'jsonpath={.items[0].metadata.name}'; }

# pid_of POD NAMESPACE - number of its process on this machine; only in the lab, whose node this machine is.
pid_of() {
    local id pid
    id=$(kube get pod "$1" -n "$2" -o 'jsonpath={.status.containerStatuses[0].containerID}')
    id=${id#containerd://}
    for pid in $(pgrep -f '^/wasmgear-'); do
        if grep -q "$id" "/proc/$pid/cgroup" 2>/dev/null; then
            printf '%s' "$pid"
            return
        fi
    done
    fail "no process of this machine belongs to container $id of pod $1"
}
