#!/usr/bin/env bash
# clean.sh - remove what was built in this checkout. Refuses while somebody builds or runs tests in it, and while a lab of
# this checkout is up: both use what would be removed.
set -euo pipefail
PART=clean
TOP=$(cd "$(dirname "$0")/.." && pwd)
cd "$TOP"
# shellcheck source=.ci/lib.sh
. .ci/lib.sh
# shellcheck source=e2e/lab/lib/settings.sh
. e2e/lab/lib/settings.sh

if [ "$(cat "$LAB/owner" 2>/dev/null || true)" = "$TOP" ]; then fail "the lab of this checkout is up, or its remains are there; first: make lab-down"; fi

# Cargo holds a lock for as long as it builds; a program that runs out of target/ was built before and holds none.
while read -r lock; do
    flock -n "$lock" true || fail "a build is going on (it holds ${lock#"$TOP/"}); wait for its end"
done < <(find target examples/target -name .cargo-lock -o -name .cargo-build-lock -o -name .cargo-artifact-lock 2>/dev/null)
running=$(find /proc -maxdepth 2 -name exe -lname "$TOP/target/*" 2>/dev/null | cut -d/ -f3 | tr '\n' ' ' || true)
[ -z "$running" ] || fail "programs of target/ are running (process $running); end them first"

rm -rf target images
say "target/ and images/ are removed"
