# shellcheck shell=bash
# What every script of the project shares: how it speaks, waits and fails. Sourced, never run.
#
# A script sets PART (the word its lines begin with) before it sources this file. All output goes to stderr, so that a
# script's stdout can be data.

: "${PART:?set PART before sourcing lib.sh}"

say() { printf '%s: %s\n' "$PART" "$*" >&2; }

# fail SENTENCE [LOG] - ends the script; with a log, shows how it ended.
fail() {
    printf '%s: %s\n' "$PART" "$1" >&2
    if [ -s "${2:-}" ]; then
        printf '%s: the end of %s:\n' "$PART" "$2" >&2
        tail -n 15 "$2" | sed 's/^/    /' >&2
    fi
    exit 1
}

# took SECONDS-AT-START - the time since then, for people: 9s, 1m05s.
took() {
    local s=$((SECONDS - $1))
    if ((s < 60)); then printf '%ds' "$s"; else printf '%dm%02ds' $((s / 60)) $((s % 60)); fi
}

# need PROGRAM HOW - fails with the line that installs PROGRAM.
need() { command -v "$1" >/dev/null 2>&1 || fail "$1 is missing; install it with: $2"; }

# wait_for SECONDS WHAT LOG COMMAND… - runs COMMAND until it succeeds. The deadline's sentence names WHAT and ends with
# the tail of LOG. A script that defines `still_worth_waiting` can end the wait early by failing in it.
wait_for() {
    local limit=$1 what=$2 log=$3 began=$SECONDS
    shift 3
    until "$@" >/dev/null 2>&1; do
        if declare -F still_worth_waiting >/dev/null; then still_worth_waiting "$what"; fi
        if ((SECONDS - began >= limit)); then fail "$what: not within $limit s" "$log"; fi
        sleep 0.2
    done
}

# step WHAT USUALLY LOG COMMAND… - runs something long with its output in LOG, and says every 15 s that it still runs.
# `progress` may be set to the name of a function that prints how far it is.
step() {
    local what=$1 usually=$2 log=$3 began=$SECONDS child status=0 last=$SECONDS
    shift 3
    mkdir -p "$(dirname "$log")"
    say "$what … (usually $usually)"
    "$@" >"$log" 2>&1 &
    child=$!
    # An interrupt ends the child as well: a build must not go on behind the person's back.
    trap 'kill "$child" 2>/dev/null || true; exit 130' INT TERM
    while kill -0 "$child" 2>/dev/null; do
        sleep 0.2
        if ((SECONDS - last >= 15)); then
            last=$SECONDS
            say "  … $(took "$began")${progress:+, $($progress "$log")}"
        fi
    done
    wait "$child" || status=$?
    trap - INT TERM
    ((status == 0)) || fail "$what: failed after $(took "$began") (exit code $status); the whole log is $log" "$log"
    say "$what: done in $(took "$began")"
}

# stamp FILE… - one short word that changes with the content of any of the files (folders: everything in them).
stamp() {
    find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-12
}
