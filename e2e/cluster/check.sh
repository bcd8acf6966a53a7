#!/usr/bin/env bash
# check.sh [CHECK…] - the product in a real cluster, where pods matter: all checks, or only those named.
#
#   job       the whole demo with 20 s of traffic: Helm, kubectl, two versions, counted and scanned by others
#   deny      a module that imports HTTP without the grant: no pod ever, the reason in one line of kubectl get
#   throttle  a gear whose pod may use a fifth of a processor: slow, and never stopped for it
#   scale     down to nothing under load for ZERO (60) seconds, then up to two: nothing lost, nothing doubled
#   idle      memory of sidecar and operator, 60 s after 10,000 messages
#
# Runs under e2e/lab/with. Counts come from e2e/oracle, which shares no code with the product. What each check made goes.
set -euo pipefail
PART=cluster
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
# shellcheck source=.ci/lib.sh
. "$TOP/.ci/lib.sh"
# shellcheck source=e2e/demo/lib/install.sh
. "$TOP/e2e/demo/lib/install.sh"
# shellcheck source=e2e/cluster/lib/gear.sh
. "$HERE/lib/gear.sh"
# shellcheck source=e2e/cluster/lib/checks.sh
. "$HERE/lib/checks.sh"
cd "$TOP"

CHECKS=(job deny throttle scale idle)
NATS=${WASMGEAR_NATS:?"run this by: make test LEVELS=cluster"}
OUT=$TOP/target/cluster-checks
ZERO=${ZERO:-60}
# Namespace of these checks; the demo has its own.
SPACE=checks

export PATH=$TOP/target/x86_64-unknown-linux-musl/debug:$TOP/target/oracle/bin:$TOP/target/tools:$PATH

kube() { kubectl --request-timeout=30s "$@"; }
# Commands are not worth showing here.
shown() { "$@" >>"$OUT/commands.log" 2>&1; }

passed=0
pass() {
    passed=$((passed + 1))
    say "  ok  $1"
}

main() {
    local check wanted=("$@")
    if ((${#wanted[@]} == 0)); then wanted=("${CHECKS[@]}"); fi
    mkdir -p "$OUT"
    for check in "${wanted[@]}"; do
        declare -F "check_$check" >/dev/null || fail "'$check' is no check; checks are: ${CHECKS[*]}"
    done
    if [ "${wanted[0]}" != job ]; then begin; fi
    for check in "${wanted[@]}"; do "check_$check"; done
    kube delete namespace "$SPACE" --wait=false --ignore-not-found >"$OUT/end.log" 2>&1
    say "$passed checks passed, 0 ignored"
}

main "$@"; exit
