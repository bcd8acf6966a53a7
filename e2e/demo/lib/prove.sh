# shellcheck shell=bash
# Traffic and its proof, by programs of others. Sourced by demo.

send_payments() {
    local total=$((RATE * SECONDS_OF_TRAFFIC))
    count -url "$NATS" -in "$IN" -out "$MASKED" -dead "$DEAD" -from-now -expect "$total" -deadline "$((SECONDS_OF_TRAFFIC + 120))s" \
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
    say "sent: $(jq -r '"\(.count) payments in \(.seconds | round) s, \(.rate | round) a second, all confirmed: \(.confirmed == .count)"' "$OUT/generate.json")"
    wait "$COUNTER" || fail "the counter is not content: $(cat "$OUT/count.json")" "$OUT/count.log"
}

# follow - keeps what every sidecar says from now on, also of pods that are gone at the end.
follow() {
    mkdir -p "$OUT/said/pods"
    touch "$OUT/following"
    while [ -e "$OUT/following" ]; do
        for pod in $(kube get pods -n "$SPACE" -l "gears.fluxrig.org/gear=$GEAR" --field-selector status.phase=Running -o name 2>>"$OUT/follow.log"); do
            [ -e "$OUT/said/pods/${pod#pod/}.log" ] || kubectl logs -f -n "$SPACE" "$pod" >"$OUT/said/pods/${pod#pod/}.log" 2>>"$OUT/follow.log" &
        done
        sleep 0.5
    done
}

prove() {
    say "counted by serial, by a program that shares no code with the product:"
    jq -r '"    in \(.in)  out \(.out)  lost \(.lost)  doubled \(.doubled)  dead letters \(.dead)",
        (.versions | to_entries | sort_by(.value.first)[] | "    by \(.key[0:19])…  \(.value.count)")' "$OUT/count.json" >&2
    end_gear
    collect
    say "card numbers in clear in outputs and dead letters:"
    clean -url "$NATS" -subject "$MASKED" -subject "$DEAD"
    say "card numbers in clear in logs, status, ConfigMaps and Events:"
    clean "$OUT/said/"*.* "$OUT/said/pods/"*
    say "and the same scan over the input finds every one of them:"
    scan -url "$NATS" -subject "$IN" -pans "$OUT/pans.txt" -expect-all >"$OUT/scan.json" 2>"$OUT/scan.log" \
        || fail "the scan is blind" "$OUT/scan.log"
    sed -n 's/^scan: /    /p' "$OUT/scan.log" >&2
    balance
}

# clean WHAT… - one scan that must find nothing.
clean() {
    scan -pans "$OUT/pans.txt" "$@" >"$OUT/scan.json" 2>"$OUT/scan.log" || fail "card numbers are in clear" "$OUT/scan.log"
    sed -n 's/^scan: /    /p' "$OUT/scan.log" >&2
}

# end_gear - scales to nothing, so that each sidecar closes its books and says what is in them.
end_gear() {
    kube get wg "$GEAR" -n "$SPACE" -o yaml >"$OUT/said/gear.yaml"
    shown kubectl scale wg "$GEAR" -n "$SPACE" --replicas 0
    wait_for 60 "the sidecars do not close their books" "$OUT/follow.log" books_closed
    rm -f "$OUT/following"
}
books_closed() {
    [ "$(grep -l 'ledger of this pod is closed' "$OUT/said/pods/"*.log | wc -l)" -ge "$(find "$OUT/said/pods" -name '*.log' | wc -l)" ]
}

# collect - everything else that the product says.
collect() {
    kube get wg,configmap,deployment,replicaset,pod -n "$SPACE" -o yaml >"$OUT/said/objects.yaml"
    kube get events -n "$SPACE" -o yaml >"$OUT/said/events.yaml"
    kube logs -n wasmgear-system -l app.kubernetes.io/name=wasmgear-operator --tail=-1 >"$OUT/said/operator.log"
}

# balance - the product's own books, summed over its pods, against the count of others.
balance() {
    grep -h 'ledger of this pod is closed' "$OUT/said/pods/"*.log | jq -s '{
        pods: length, received: (map(.received) | add), ok: (map(.ok) | add), dead: (map(.dead_lettered) | add),
        given_back: (map(.retried + .released) | add), already: (map(.already_emitted) | add), unconfirmed: (map(.unconfirmed) | add),
        balanced: all(.balanced and .received == .ok + .dropped + .rejected + .dead_lettered + .probes + .retried + .released
            + .already_emitted + .unconfirmed + .in_flight and .in_flight == 0)}' >"$OUT/ledger.json"
    say "the sidecars' own ledger, summed over their pods:"
    jq -r '"    received \(.received) = ok \(.ok) + dead letters \(.dead) + given back \(.given_back) + already emitted \(.already) + unconfirmed \(.unconfirmed)   (\(.pods) pods)"' "$OUT/ledger.json" >&2
    jq -e --slurpfile count "$OUT/count.json" '.balanced and .pods >= 2 and .ok + .already + .unconfirmed >= $count[0].out
        and .ok + .dead <= $count[0].in' "$OUT/ledger.json" >"$OUT/balance.log" || fail "the ledger does not balance" "$OUT/ledger.json"
    jq -r '"\(.in) in, \(.out) out, \(.lost) lost, \(.doubled) doubled, \(.versions | length) versions, no card number in clear, the ledger balances"' \
        "$OUT/count.json" >"$OUT/verdict"
}
