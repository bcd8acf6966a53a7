# shellcheck shell=bash
# The checks. Sourced by check.sh.

check_job() {
    SECONDS_OF_TRAFFIC=20 RATE=1000 "$TOP/e2e/demo/demo" || fail "the demo failed"
    pass "demo: $(cat "$TOP/target/demo/verdict")"
}

check_deny() {
    local began seen
    space
    need clang "make tools"
    clang --target=wasm32 -O2 -ffreestanding -nostdlib -Wl,--no-entry -Wl,--strip-all -o "$OUT/asks-http.wasm" "$HERE/guests/asks-http.c"
    wasmgear push "$OUT/asks-http.wasm" urn:wasm:asks-http:v1.0.0 --nats "$NATS" >"$OUT/push.log" 2>&1 || fail "the module can't be pushed" "$OUT/push.log"
    # From before the gear is there until after the last look at it: no pod, not for a moment.
    kubectl get pods -n "$SPACE" --watch --output-watch-events -o name >"$OUT/pods.watch" 2>"$OUT/pods.watch.log" &
    seen=$!
    gear deny urn:wasm:asks-http:v1.0.0
    kube wait wg/deny -n "$SPACE" --for=condition=CapabilitiesGranted=False --timeout=60s >"$OUT/deny.wait.log" 2>&1 \
        || fail "the import is not refused" "$OUT/deny.wait.log"
    began=$SECONDS
    while ((SECONDS - began < 10)); do
        [ ! -s "$OUT/pods.watch" ] || fail "a pod was made for a module that is refused" "$OUT/pods.watch"
        [ "$(kube get deployments -n "$SPACE" -o name | wc -l)" = 0 ] || fail "a Deployment was made for a module that is refused"
        sleep 1
    done
    # The watch itself has to be able to see a pod.
    kube run seen -n "$SPACE" --image=wasmgear.test/probe:v1 --image-pull-policy=Never --restart=Never >"$OUT/seen.log" 2>&1
    wait_for 20 "the watch over pods sees none" "$OUT/pods.watch.log" grep -q pod/seen "$OUT/pods.watch"
    kill "$seen" 2>/dev/null || true
    kube get wg deny -n "$SPACE" -o wide >"$OUT/deny.get"
    grep -q 'flux_req_http' "$OUT/deny.get" || fail "kubectl get wg does not say why" "$OUT/deny.get"
    pass "no pod for a module that imports HTTP without the grant: $(tail -1 "$OUT/deny.get" | tr -s ' ')"
}

check_throttle() {
    local pid throttled group
    space
    gear throttle urn:wasm:pan-masker:v1.0.0 '  template: { resources: { limits: { cpu: 200m } } }'
    serves throttle
    counting throttle 6000 150
    sending throttle 6000 400
    counted throttle
    if [ "${WASMGEAR_CLUSTER:-lab}" != lab ]; then return; fi
    pid=$(pid_of "$(pod_of gears.fluxrig.org/gear=throttle "$SPACE")" "$SPACE")
    group=$(awk -F: '$2 ~ /(^|,)cpu(,|$)/ || $1 == 0 {print $3; exit}' "/proc/$pid/cgroup")
    # cgroup v1 and v2 have it in different places; those that are not there say nothing.
    throttled=$({ cat /sys/fs/cgroup/{cpu,cpu\,cpuacct,.}"$group/cpu.stat" 2>/dev/null || true; } | awk '$1 == "nr_throttled" {n = $2} END {print n}')
    ((${throttled:-0} > 0)) || fail "the pod was never held back (nr_throttled ${throttled:-unknown}): the check proves nothing"
    pass "the pod was held back $throttled times by its limit of 200m, and no call was stopped"
}

check_scale() {
    local total
    space
    gear scale urn:wasm:pan-masker:v1.0.0
    serves scale
    total=$((1000 * (ZERO + 40)))
    counting scale "$total" "$((ZERO + 200))"
    sending scale "$total" 1000
    sleep 10
    kube scale wg scale -n "$SPACE" --replicas 0 >"$OUT/scale.log" 2>&1 || fail "kubectl scale fails" "$OUT/scale.log"
    wait_for 60 "the pods do not go" "$OUT/scale.log" gone scale
    say "scaled to nothing for $ZERO s, at 1,000 messages a second"
    sleep "$ZERO"
    kube scale wg scale -n "$SPACE" --replicas 2 >"$OUT/scale.log" 2>&1 || fail "kubectl scale fails" "$OUT/scale.log"
    counted scale
    [ "$(kube get wg scale -n "$SPACE" -o 'jsonpath={.status.readyReplicas}')" = 2 ] || fail "there are not two ready pods at the end"
    pass "two pods are ready at the end"
}
gone() { [ -z "$(kube get pods -n "$SPACE" -l "gears.fluxrig.org/gear=$1" -o name)" ]; }

check_idle() {
    if [ "${WASMGEAR_CLUSTER:-lab}" != lab ]; then fail "memory is read from /proc of the lab's node: leave idle out on another cluster"; fi
    space
    gear idle urn:wasm:pan-masker:v1.0.0
    serves idle
    counting idle 10000 60
    sending idle 10000 1000
    counted idle
    sleep 60
    memory sidecar 20 "$(pid_of "$(pod_of gears.fluxrig.org/gear=idle "$SPACE")" "$SPACE")"
    memory operator 25 "$(pid_of "$(pod_of app.kubernetes.io/name=wasmgear-operator wasmgear-system)" wasmgear-system)"
}

# memory WHAT MIB PID - resident memory now and at its highest; the first has a bar.
memory() {
    local now high
    now=$(awk '/^VmRSS/ {print $2}' "/proc/$3/status")
    high=$(awk '/^VmHWM/ {print $2}' "/proc/$3/status")
    ((now <= $2 * 1024)) || fail "$1: VmRSS $now KiB, $2 MiB at most (VmHWM $high KiB)"
    pass "$1 idle: VmRSS $now KiB, at most $(($2 * 1024)) KiB; VmHWM $high KiB"
}
