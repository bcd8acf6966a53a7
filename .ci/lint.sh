#!/usr/bin/env bash
# lint.sh [CHECK…] - everything that can be judged without running the product: all checks, or only those named.
# `make lint`. Every check runs, so that one run shows everything; the last line counts them.
set -uo pipefail
PART=lint
TOP=$(cd "$(dirname "$0")/.." && pwd)
cd "$TOP" || exit 1
# shellcheck source=.ci/lib.sh
. .ci/lib.sh

CHECKS=(format clippy borders deny shell go_format go_vet examples sizes words links teeth)

# Folders with a Go module of their own.
go_modules() { git ls-files '*go.mod' | xargs -n1 dirname; }
# Everything that bash reads.
shell_scripts() {
    git ls-files '*.sh'
    git ls-files -z .ci e2e charts sidecar | xargs -0 grep -lIs '^#!/usr/bin/env bash' | grep -v '\.sh$'
}

check_format() { cargo fmt --all --check; }
check_clippy() { cargo clippy --quiet --workspace --all-targets --locked -- -D warnings; }
check_borders() { cargo xtask borders; }
check_deny() { target/tools/cargo-deny --locked --log-level error --config .ci/deny.toml check bans licenses sources; }
check_shell() { shell_scripts | sort -u | xargs shellcheck --external-sources; }
check_go_format() {
    local unformatted
    unformatted=$(git ls-files '*.go' | xargs gofmt -l)
    [ -z "$unformatted" ] || { printf 'not formatted, run gofmt -w on:\n%s\n' "$unformatted"; return 1; }
}
check_go_vet() {
    local module
    # The cluster's programs are other people's code behind two main functions.
    for module in $(go_modules | grep -v '^.ci/tools/'); do
        GOFLAGS='' go -C "$module" vet ./... || return 1
    done
}
# The gears under examples/ are a workspace of their own. (`cargo fmt --all` there would look at the whole repository.)
check_examples() {
    [ -f examples/Cargo.toml ] || return 0
    git ls-files 'examples/*.rs' 'e2e/guests/rust/*.rs' | xargs rustfmt --edition 2024 --check \
        && CARGO_TARGET_DIR=$TOP/target/guests-build cargo clippy --manifest-path examples/Cargo.toml --quiet --workspace --all-targets --locked -- -D warnings
}
# Style rule 5: a file without its tests has 300 lines at most.
check_sizes() {
    git ls-files '*.rs' '*.go' '*.sh' e2e/lab/lab | grep -vE '(^|/)(tests|benches|fuzz|examples)/|_test\.go$|/tests\.rs$' | while read -r file; do
        [ -f "$file" ] || continue
        awk -v file="$file" '/^#\[cfg\(test\)\]/ {exit} END {if (NR > 300) {print file ": " NR " lines without tests, 300 at most"; exit 1}}' "$file" || echo "$file" >&3
    done 3>"$TOP/target/logs/sizes"
    [ ! -s "$TOP/target/logs/sizes" ]
}
# Patches that switch a control off apply, and name tests that exist. Whether those go red: make teeth.
check_teeth() { cargo xtask teeth --check; }
# What must not stand in the repository: skipped tests, unfinished code.
check_words() {
    ! git grep -nE '(todo|unimplemented)!\(|#\[ignore|t\.Skip' -- '*.rs' '*.go' ':!.ci/xtask'
}
# Relative links of documents lead to files of the repository.
check_links() {
    local file target broken=0
    while IFS=: read -r file target; do
        target=${target#*(}
        target=${target%[)#]}
        [ -n "$(git ls-files "$(dirname "$file")/$target")" ] || { echo "$file: the link to $target leads nowhere"; broken=1; }
    done < <(git ls-files '*.md' | xargs grep -oHE '\]\([^)#: ]+[)#]' | sort -u)
    return "$broken"
}

main() {
    local check since passed=0 failed=() wanted=("$@")
    if ((${#wanted[@]} == 0)); then wanted=("${CHECKS[@]}"); fi
    mkdir -p target/logs
    for check in "${wanted[@]}"; do
        declare -F "check_$check" >/dev/null || fail "'$check' is no check; checks are: ${CHECKS[*]}"
        since=$SECONDS
        if "check_$check"; then
            passed=$((passed + 1))
            say "  ok  $check ($(took "$since"))"
        else
            failed+=("$check")
            say "  NOT $check ($(took "$since")); alone: .ci/lint.sh $check"
        fi
    done
    if ((${#failed[@]})); then fail "${#failed[@]} of ${#wanted[@]} checks failed: ${failed[*]}"; fi
    say "$passed checks passed, 0 ignored"
}

main "$@"; exit
