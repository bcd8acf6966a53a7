# shellcheck shell=bash
# Traffic and its proof, by programs of others. Sourced by demo.

send_payments() {
    local total=$((RATE * SECONDS_OF_TRAFFIC))
    count -url "$NATS" -in "$IN" -out "$MASKED" -dead "$DEAD" -from-now -expect "$total" -deadline "$((SECONDS_OF_TRAFFIC + 90))s" \
        >"$OUT/count.json" 2>"$OUT/count.log" &
    COUNTER=$!
    wait_for 20 "the counter does not begin" "$OUT/count.log" grep -q reading "$OUT/count.log"
    say "$total payments, $RATE a second, for $SECONDS_OF_TRAFFIC s"
    generate -url "$NATS" -rack edge-a -gear line-in -rate "$RATE" -count "$total" -pans "$OUT/pans.txt" \
        >"$OUT/generate.json" 2>"$OUT/generate.log" &
    GENERATOR=$!
}

await_payments() {
    wait "$GENERATOR" || fail "the generator failed" "$OUT/generate.log"
    say "sent: $(cat "$OUT/generate.json")"
    wait "$COUNTER" || fail "the counter is not content: $(cat "$OUT/count.json")" "$OUT/count.log"
}

prove() {
    say "counted by serial, with nothing of ours: $(cat "$OUT/count.json")"
    collect
    scan -url "$NATS" -subject "$MASKED" -subject "$DEAD" -pans "$OUT/pans.txt" 2>&1 | sed 's/^/    /' >&2 \
        || fail "card numbers are in clear in what the gear wrote"
    scan -pans "$OUT/pans.txt" "$OUT/said" 2>&1 | sed 's/^/    /' >&2 || fail "card numbers are in clear in logs, status or Events: $OUT/said"
    say "and the same scan finds every one of them in the input:"
    scan -url "$NATS" -subject "$IN" -pans "$OUT/pans.txt" -expect-all 2>&1 | sed 's/^/    /' >&2 || fail "the scan is blind"
    balanced
}

# collect - everything that the product says: logs, status, Events, ConfigMaps.
collect() {
    mkdir -p "$OUT/said"
    kube get wg,configmap,deployment,pod -n "$SPACE" -o yaml >"$OUT/said/objects.yaml"
    kube get events -n "$SPACE" -o yaml >"$OUT/said/events.yaml"
    kube logs -n wasmgear-system -l app.kubernetes.io/name=wasmgear-operator --tail=-1 >"$OUT/said/operator.log"
    kube logs -n "$SPACE" -l "gears.fluxrig.org/gear=$GEAR" --tail=-1 >"$OUT/said/sidecars.log"
}
balanced() { :; }
