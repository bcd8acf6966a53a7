# shellcheck shell=bash
# Chart, modules, gear: what a person types. Sourced by demo.

# image NAME - reference of one of the images that `make images` wrote.
image() { awk -v name="/$1" '$1 ~ name "$" {print $1 ":" $2}' "$TOP/target/images/product.refs"; }

# What an earlier run left goes first: the demo shows a beginning.
sweep() {
    kube get namespace "$SPACE" >/dev/null 2>&1 || return 0
    say "an earlier demo's namespace goes first"
    kube delete namespace "$SPACE" --timeout=60s >"$OUT/sweep.log" 2>&1 || fail "namespace $SPACE does not go" "$OUT/sweep.log"
}

install_chart() {
    sweep
    if [ "${WASMGEAR_CLUSTER:-lab}" = lab ]; then "$TOP/e2e/lab/lab" import "$TOP/images"; fi
    shown helm upgrade --install wasmgear charts/wasmgear --namespace wasmgear-system --create-namespace \
        --set "image=$(image wasmgear-operator)" --set "sidecar.image=$(image wasmgear-sidecar)" \
        --set nats.url=nats://nats.nats:4222 --wait --timeout 2m >"$OUT/helm.log" 2>&1 \
        || fail "the chart can't be installed" "$OUT/helm.log"
    grep -E '^(Release|NAME|STATUS|REVISION)' "$OUT/helm.log" | sed 's/^/    /' >&2 || true
}

push_modules() {
    shown wasmgear push target/guests/pan-masker-v1.wasm urn:wasm:pan-masker:v1.0.0 --nats "$NATS"
    shown wasmgear push target/guests/pan-masker-v2.wasm urn:wasm:pan-masker:v2.0.0 --nats "$NATS"
}

apply_gear() {
    # fluxrig makes this stream; in the demo the generator stands for it.
    generate -url "$NATS" -count 1 -first 1000000000 -rack nobody >"$OUT/stream.json" 2>"$OUT/stream.log" || fail "stream flux-msg can't be made" "$OUT/stream.log"
    shown kubectl create namespace "$SPACE"
    shown kubectl apply -f e2e/demo/gear.yaml
    ready "urn:wasm:pan-masker:v1.0.0"
}

# ready URN - waits until the gear says that it runs this module and nothing else.
ready() {
    wait_for 120 "the gear does not become ready with $1" "$OUT/ready.log" is_ready "$1"
    shown kubectl get wg "$GEAR" -n "$SPACE"
}
is_ready() {
    kube get wg "$GEAR" -n "$SPACE" -o json >"$OUT/gear.json"
    kube get wg "$GEAR" -n "$SPACE" -o wide >"$OUT/ready.log"
    jq -e --arg urn "$1" '.status.observedGeneration == .metadata.generation and .status.module.urn == $urn and .status.candidate == null
        and any(.status.conditions[]; .type == "Ready" and .status == "True")' "$OUT/gear.json"
}

# The change that the demo is about: one line of YAML.
change_version() {
    sleep $((SECONDS_OF_TRAFFIC / 2))
    sed 's/pan-masker:v1.0.0/pan-masker:v2.0.0/' "$HERE/gear.yaml" >"$OUT/gear-v2.yaml"
    say "in the middle of the traffic, another version:"
    diff -U0 "$HERE/gear.yaml" "$OUT/gear-v2.yaml" | grep '^[-+] ' >&2 || true
    shown kubectl apply -f target/demo/gear-v2.yaml
    ready "urn:wasm:pan-masker:v2.0.0"
}
