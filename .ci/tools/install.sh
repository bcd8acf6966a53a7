#!/usr/bin/env bash
# install.sh [NAME…] - install what building, testing and the lab need; without names, everything. `make tools`.
#
#   packages   Debian packages (packages.txt), only those that are missing
#   rust       the toolchain, targets and components of rust-toolchain.toml
#   anything else is a program's name: kube-apiserver, nats-server, containerd, cargo-deny, …
#
# Each program is built once into ${WASMGEAR_CACHE:-~/.cache/wasmgear}/tools/<name>/<version>/ and the checkout's set is
# linked in target/tools/. A program's folder appears only when it is complete (it is renamed into place), so a build that
# broke off is never taken for done; a lock lets a second run wait for the first.
set -euo pipefail
PART=tools
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=.ci/lib.sh
. "$TOP/.ci/lib.sh"
# shellcheck source=.ci/versions.env
. "$TOP/.ci/versions.env"

CACHE=${WASMGEAR_CACHE:-$HOME/.cache/wasmgear}
HOME_OF_TOOLS=$CACHE/tools
LINKS=$TOP/target/tools
LOGS=$TOP/target/logs/tools
CLUSTER=$TOP/.ci/tools/cluster

# name of a program -> its version, and the package that holds it
declare -A version=(
    [kube-apiserver]=$KUBERNETES [kube-controller-manager]=$KUBERNETES [kube-scheduler]=$KUBERNETES
    [kubelet]=$KUBERNETES [kube-proxy]=$KUBERNETES [kubectl]=$KUBERNETES
    [etcd]=$ETCD [coredns]=$COREDNS [helm]=$HELM [nats-server]=$NATS_SERVER
    [containerd]=$CONTAINERD [containerd-shim-runc-v2]=$CONTAINERD [ctr]=$CONTAINERD
    [cargo-deny]=v$CARGO_DENY [pause]=v1
)
declare -A source_of=(
    [etcd]=./cmd/etcd [coredns]=./cmd/coredns [helm]=helm.sh/helm/v4/cmd/helm
    [nats-server]=github.com/nats-io/nats-server/v2
)
for name in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
    source_of[$name]=k8s.io/kubernetes/cmd/$name
done
for name in containerd containerd-shim-runc-v2 ctr; do
    source_of[$name]=github.com/containerd/containerd/v2/cmd/$name
done

# Static, stripped, without paths of this machine, and without DWARF: nobody debugs these here, and it saves a tenth of
# the time.
go_flags=(-trimpath -buildvcs=false -gcflags=all=-dwarf=false)
kube_version=k8s.io/component-base/version
minor=${KUBERNETES#v1.}
link_flags="-s -w -X $kube_version.gitVersion=$KUBERNETES -X $kube_version.gitMajor=1 -X $kube_version.gitMinor=${minor%%.*}"
link_flags+=" -X helm.sh/helm/v4/internal/version.version=$HELM"

is_cluster() { [[ ${source_of[$1]:-} && ${source_of[$1]} != github.com/containerd/* ]]; }
is_containerd() { [[ ${source_of[$1]:-} == github.com/containerd/* ]]; }

# The folder that a program of this checkout is taken from. What decides its bytes is in the name: its version and, for
# the cluster's programs, the list of all versions below it.
folder() {
    local v=${version[$1]}
    if is_cluster "$1"; then v+=-$recipe; fi
    if [ "$1" = pause ]; then v+=-$(stamp "$TOP/.ci/tools/pause.c"); fi
    printf '%s/%s/%s' "$HOME_OF_TOOLS" "$1" "$v"
}

# keep STAGE NAME… - moves finished programs to their folders, each in one rename.
keep() {
    local stage=$1 name
    shift
    for name in "$@"; do
        [ -x "$stage/$name" ] || fail "the build of $name made no program; this is a fault of .ci/tools/install.sh"
        mkdir -p "$stage/.keep" "$(dirname "$(folder "$name")")"
        mv "$stage/$name" "$stage/.keep/$name"
        mv -T "$stage/.keep" "$(folder "$name")"
    done
}

install_packages() {
    local package proof missing=()
    while read -r package proof; do
        if [[ $proof == /* ]]; then [ -e "$proof" ] && continue; else command -v "$proof" >/dev/null && continue; fi
        missing+=("$package")
    done < <(grep -vE '^\s*(#|$)' "$TOP/.ci/tools/packages.txt")
    if ((${#missing[@]} == 0)); then return; fi
    command -v apt-get >/dev/null || fail "missing: ${missing[*]}; this is no Debian, so install what they stand for by hand (.ci/tools/packages.txt says which program shows each)"
    [ "$(id -u)" = 0 ] || fail "missing: ${missing[*]}; install them with: sudo apt-get install ${missing[*]}"
    # --no-remove: a machine's own container runtime must never be pushed out by ours.
    step "installing packages: ${missing[*]}" "1 min" "$LOGS/apt.log" env DEBIAN_FRONTEND=noninteractive sh -c \
        'apt-get update -q && exec apt-get install -qy --no-install-recommends --no-remove "$@"' sh "${missing[@]}"
}

install_rust() {
    need rustup "curl https://sh.rustup.rs -sSf | sh"
    local channel wanted
    channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' "$TOP/rust-toolchain.toml")
    if ! rustup toolchain list | grep -q "^$channel"; then
        step "installing Rust $channel" "1 min" "$LOGS/rust.log" rustup toolchain install "$channel" --profile minimal
    fi
    for wanted in $(list_of targets); do
        rustup target list --toolchain "$channel" --installed | grep -qx "$wanted" && continue
        step "adding the Rust target $wanted" "10 s" "$LOGS/rust.log" rustup target add --toolchain "$channel" "$wanted"
    done
    for wanted in $(list_of components); do
        rustup component list --toolchain "$channel" --installed | grep -q "^$wanted" && continue
        step "adding the Rust component $wanted" "10 s" "$LOGS/rust.log" rustup component add --toolchain "$channel" "$wanted"
    done
}

# list_of KEY - the words of `KEY = ["a", "b"]` in rust-toolchain.toml
list_of() { sed -n "s/^$1 = \[\(.*\)\]/\1/p" "$TOP/rust-toolchain.toml" | tr -d '",'; }

# go.mod is what gets built, versions.env is what people read: a difference between them must not pass.
check_pins() {
    local pin
    for pin in "k8s.io/kubernetes $KUBERNETES" "go.etcd.io/etcd/server/v3 $ETCD" "github.com/coredns/coredns $COREDNS" \
        "helm.sh/helm/v4 $HELM" "github.com/nats-io/nats-server/v2 $NATS_SERVER" "=> k8s.io/client-go $KUBERNETES_STAGING"; do
        grep -qF "$pin" "$CLUSTER/go.mod" || fail ".ci/tools/cluster/go.mod does not have '$pin' as .ci/versions.env says; bring them together with: .ci/tools/update.sh"
    done
}

go_packages_compiled() { printf '%s packages compiled' "$(grep -c / "$1" || true)"; }

build_cluster() {
    local stage name packages=() usually="7 min"
    if (($# == 1)); then usually="1 to 4 min"; fi
    need go "https://go.dev/doc/install (1.26 or newer)"
    stage=$(mktemp -d "$HOME_OF_TOOLS/.stage.XXXXXX")
    for name in "$@"; do packages+=("${source_of[$name]}"); done
    progress=go_packages_compiled step "building $*" "$usually the first time" "$LOGS/cluster.log" \
        env -C "$CLUSTER" CGO_ENABLED=0 GOFLAGS= go build -v "${go_flags[@]}" -ldflags "$link_flags" -o "$stage/" "${packages[@]}"
    # The program of k8s.io/…/nats-server/v2 is called after its folder or its module, as Go pleases.
    if [ -e "$stage/v2" ]; then mv "$stage/v2" "$stage/nats-server"; fi
    keep "$stage" "$@"
    rm -rf "$stage"
}

build_containerd() {
    local stage name packages=()
    need go "https://go.dev/doc/install (1.26 or newer)"
    stage=$(mktemp -d "$HOME_OF_TOOLS/.stage.XXXXXX")
    for name in "$@"; do packages+=("${source_of[$name]}@$CONTAINERD"); done
    progress=go_packages_compiled step "building $*" "1 min the first time" "$LOGS/containerd.log" \
        env -C / CGO_ENABLED=0 GOFLAGS= GOBIN="$stage" go install -v "${go_flags[@]}" -ldflags "-s -w" "${packages[@]}"
    keep "$stage" "$@"
    rm -rf "$stage"
}

build_pause() {
    local stage
    need musl-gcc "apt-get install musl-tools"
    stage=$(mktemp -d "$HOME_OF_TOOLS/.stage.XXXXXX")
    musl-gcc -static -Os -s -Wall -Werror -o "$stage/pause" "$TOP/.ci/tools/pause.c"
    keep "$stage" pause
    rm -rf "$stage"
}

build_cargo_deny() {
    local stage
    need cargo "curl https://sh.rustup.rs -sSf | sh"
    stage=$(mktemp -d "$HOME_OF_TOOLS/.stage.XXXXXX")
    # Unoptimised: it runs for seconds, and building it takes one minute in place of five. From outside of the checkout,
    # so that the project's own build settings do not apply to it.
    step "building cargo-deny $CARGO_DENY" "1 min the first time" "$LOGS/cargo-deny.log" env -C / CARGO_TARGET_DIR="$stage/target" \
        cargo "+$(sed -n 's/^channel = "\(.*\)"/\1/p' "$TOP/rust-toolchain.toml")" install --locked --debug --root "$stage" --no-track "cargo-deny@$CARGO_DENY"
    strip "$stage/bin/cargo-deny" -o "$stage/cargo-deny"
    keep "$stage" cargo-deny
    rm -rf "$stage"
}

main() {
    local began=$SECONDS wanted=("$@") name missing=() cluster=() containerd=()
    mkdir -p "$HOME_OF_TOOLS" "$LINKS" "$LOGS"
    if ((${#wanted[@]} == 0)); then
        wanted=(packages rust)
        mapfile -t -O 2 wanted < <(printf '%s\n' "${!version[@]}" | LC_ALL=C sort)
    fi
    check_pins
    recipe=$(stamp "$CLUSTER" | cut -c 1-8)-$(printf '%s' "${go_flags[*]} $link_flags" | sha256sum | cut -c 1-4)

    exec 8>"$HOME_OF_TOOLS/.lock"
    if ! flock -n 8; then
        say "another run is installing tools into $HOME_OF_TOOLS: waiting for it"
        flock -w 3600 8 || fail "another run has held $HOME_OF_TOOLS/.lock for an hour; look at: fuser $HOME_OF_TOOLS/.lock"
    fi
    # What a killed run left; nobody else can be using it, because the lock is ours.
    rm -rf "$HOME_OF_TOOLS"/.stage.*

    for name in "${wanted[@]}"; do
        case $name in
        packages) install_packages ;;
        rust) install_rust ;;
        *)
            [ "${version[$name]:-}" ] || fail "'$name' is not a tool of this project; tools are: packages rust ${!version[*]}"
            [ -x "$(folder "$name")/$name" ] || missing+=("$name")
            ;;
        esac
    done
    for name in "${missing[@]}"; do
        if is_cluster "$name"; then cluster+=("$name"); elif is_containerd "$name"; then containerd+=("$name"); fi
    done
    if ((${#cluster[@]})); then build_cluster "${cluster[@]}"; fi
    if ((${#containerd[@]})); then build_containerd "${containerd[@]}"; fi
    if [[ " ${missing[*]} " == *' pause '* ]]; then build_pause; fi
    if [[ " ${missing[*]} " == *' cargo-deny '* ]]; then build_cargo_deny; fi

    for name in "${wanted[@]}"; do
        case $name in packages | rust) continue ;; esac
        ln -sfn "$(folder "$name")/$name" "$LINKS/.$name.new"
        mv -T "$LINKS/.$name.new" "$LINKS/$name"
    done
    say "complete in $(took "$began"): ${#missing[@]} built, $((${#wanted[@]} - ${#missing[@]})) were there; linked in target/tools"
}

# On one line with its end: a script that is edited while it runs is read no further.
main "$@"; exit
