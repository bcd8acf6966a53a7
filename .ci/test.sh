#!/usr/bin/env bash
# test.sh [LEVEL…] - run the levels of tests in order, or only those named; count what each runner really ran. `make test`.
#
# A level ends the run when a test failed, was ignored or was filtered out, when a test program gave no result, and when
# nothing was run at all. Whole outputs: target/logs/test/<level>.log.
set -euo pipefail
PART='test'
TOP=$(cd "$(dirname "$0")/.." && pwd)
cd "$TOP"
# shellcheck source=.ci/lib.sh
. .ci/lib.sh

# The levels, least powerful first. A new level is a word here and a function level_<word> below.
LEVELS=(lint unit docs gears oracle images real lab cluster)

FOLDER=$TOP/target/logs/test
# The built program, not `cargo xtask`: Cargo would wait for the lock that the tests hold, and they for their reader.
TALLY=$TOP/target/x86_64-unknown-linux-musl/debug/xtask
# Tests of the workspace that need no cluster. Snapshots are compared, never rewritten.
RUST=(--workspace --locked --no-fail-fast)
export INSTA_UPDATE=no

# tally RUNNER LEVEL COMMAND… - runs the command and counts its output; both have to be content.
tally() {
    local runner=$1 level=$2
    shift 2
    "$@" 2>&1 | "$TALLY" tally --runner "$runner" --level "$level" --folder "$FOLDER"
}

# Formatting, lints, licences, borders of crates, shell: before anything is run.
level_lint() { tally checks lint .ci/lint.sh; }

# One function or type, a table of cases, a property; the stream's in-memory twin with its faults.
level_unit() { tally cargo unit cargo test "${RUST[@]}" --lib --bins; }

# Examples in the documentation of public items compile and do what they say.
level_docs() { tally cargo docs cargo test "${RUST[@]}" --doc; }

# The example gears, as ordinary programs: they are a workspace of their own.
level_gears() { tally cargo gears env CARGO_TARGET_DIR="$TOP/target/guests-build" cargo test --manifest-path examples/Cargo.toml --workspace --locked --no-fail-fast; }

# The judges judged: generator, counter and scanner, in Go, against a real nats-server.
level_oracle() { tally go oracle env GOFLAGS= go -C e2e/oracle test -json ./...; }

# The writer of container images.
level_images() { tally go images env GOFLAGS= go -C .ci/images test -json ./...; }

# Real programs around ours: nats-server, kube-apiserver and etcd, each test with processes of its own.
level_real() { tally cargo real cargo test "${RUST[@]}" --test '*'; }

# The lab itself: pods, names, logs, and nothing left behind.
level_lab() { tally checks lab e2e/lab/check.sh 1; }

# The product in the lab, installed as a person does it; with CLUSTER typed behind make, in that cluster.
level_cluster() {
    local -a which=()
    if [ -n "${TEST_CLUSTER:-}" ]; then which=(--cluster "$TEST_CLUSTER"); fi
    tally checks cluster e2e/lab/with "${which[@]}" -- e2e/cluster/check.sh
    if [ -z "${TEST_CLUSTER:-}" ]; then e2e/lab/lab down; fi
}

main() {
    local began=$SECONDS level since wanted=("$@")
    if ((${#wanted[@]} == 0)); then wanted=("${LEVELS[@]}"); fi
    for level in "${wanted[@]}"; do
        declare -F "level_$level" >/dev/null || fail "'$level' is no level of tests; levels are: ${LEVELS[*]}"
    done
    mkdir -p "$FOLDER"
    need cargo "curl https://sh.rustup.rs -sSf | sh"
    cargo build --quiet --locked -p xtask
    for level in "${wanted[@]}"; do
        since=$SECONDS
        say "level $level"
        "level_$level" || fail "level $level failed after $(took "$since"); alone: make test LEVELS=$level"
    done
    "$TALLY" total --folder "$FOLDER" "${wanted[@]}"
    say "passed in $(took "$began")"
}

# On one line with its end: a script that is edited while it runs is read no further.
main "$@"; exit
