#!/usr/bin/env bash
# bench.sh [ARGUMENT…] - build the bench as the published images are built and run it. `make bench`; `--help` lists arguments.
#
# The result goes to stdout (a table, or JSON with --output json), what happens meanwhile to stderr. Exit code: 0 every bar
# is met, 1 a bar is missed, 2 no result.
set -euo pipefail
PART=bench
TOP=$(cd "$(dirname "$0")/.." && pwd)
cd "$TOP"
# shellcheck source=.ci/lib.sh
. .ci/lib.sh

# The profile of its own in Cargo.toml: everything else shares `dev`.
PROFILE=bench-run

need cargo "curl https://sh.rustup.rs -sSf | sh"
[ -x target/tools/nats-server ] || fail "nats-server is missing; install it with: make tools"
[ -f target/guests/echo-c.wasm ] || fail "the guests are missing; build them with: make guests"
step "building the bench" "10 min the first time, 1 min after a change" target/logs/bench-build.log \
    cargo build --locked --profile "$PROFILE" -p wasmgear-bench
exec "target/x86_64-unknown-linux-musl/$PROFILE/wasmgear-bench" "$@"
