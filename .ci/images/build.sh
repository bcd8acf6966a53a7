#!/usr/bin/env bash
# build.sh product|lab - write container images as an OCI image layout.
#
#   product   images/: the operator and the sidecar. PROFILE=dev (default, what the tests run) or release (for users);
#             REGISTRY is the first part of the images' names. Push a layout with what you have, for example
#             skopeo copy oci:images:wasmgear-operator:<tag> docker://<registry>/wasmgear-operator:<tag>
#   lab       target/images/lab: pause, coredns and nats-server out of the programs of `make tools`, and the lab's own probe
#
# Both also write <layout's name>.refs under target/images: lines "name tag digest". Nothing is written when nothing
# changed.
set -euo pipefail
PART=images
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=.ci/lib.sh
. "$TOP/.ci/lib.sh"
# shellcheck source=.ci/versions.env
. "$TOP/.ci/versions.env"

WRITER=$TOP/target/bin/oci-image
NOBODY=65532:65532

make_writer() {
    need go "https://go.dev/doc/install (1.26 or newer)"
    mkdir -p "$TOP/target/bin"
    GOFLAGS='' CGO_ENABLED=0 go -C "$TOP/.ci/images" build -trimpath -buildvcs=false -o "$WRITER" .
}

# write_layout REFS LAYOUT - hands the spec on stdin to the writer, unless the same spec over the same files was the last.
write_layout() {
    local refs=$1 layout=$2 spec mark began=$SECONDS
    shift 2
    spec=$(cat)
    mark=$(printf '%s %s' "$spec" "$(stamp "$@" "$WRITER")" | sha256sum | cut -c 1-16)
    mkdir -p "$(dirname "$refs")"
    if [ -f "$refs" ] && [ -f "$layout/index.json" ] && [ "$(cat "$refs.stamp" 2>/dev/null)" = "$mark" ]; then
        say "nothing changed: ${layout#"$TOP/"}"
    else
        printf '%s' "$spec" | "$WRITER" >"$refs.new"
        mv "$refs.new" "$refs"
        printf '%s' "$mark" >"$refs.stamp"
        say "written in $(took "$began"): ${layout#"$TOP/"}"
    fi
    sed 's/^\([^ ]*\) \([^ ]*\) /  \1:\2  /' "$refs" >&2
}

product() {
    local profile=${PROFILE:-dev} registry=${REGISTRY:-wasmgear.test} folder version created=0 revision="" name
    local -a files=() flags=()
    case $profile in
    # All programs at once: the choice of crates decides the features of their dependencies, and another choice than the
    # tests' would compile most of them a second time.
    dev) folder=debug flags=(--workspace --bins) ;;
    release) folder=release flags=(--release -p wasmgear-operator -p wasmgear-sidecar) created=$(git -C "$TOP" log -1 --format=%ct) revision=$(git -C "$TOP" rev-parse HEAD) ;;
    *) fail "PROFILE is '$profile'; expected dev or release" ;;
    esac
    need cargo "curl https://sh.rustup.rs -sSf | sh"
    say "compiling the operator and the sidecar, profile $profile"
    cargo build --manifest-path "$TOP/Cargo.toml" --locked "${flags[@]}"
    version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$TOP/Cargo.toml")
    mkdir -p "$TOP/target/images/product"
    for name in wasmgear-operator wasmgear-sidecar; do
        # Names of functions stay for backtraces; the tables for debuggers would be most of the image.
        strip --strip-debug "$TOP/target/x86_64-unknown-linux-musl/$folder/$name" -o "$TOP/target/images/product/$name"
        files+=("$TOP/target/images/product/$name")
    done
    write_layout "$TOP/target/images/product.refs" "$TOP/images" "${files[@]}" <<EOF
{"layout": "$TOP/images", "created": $created, "images": [
$(product_image wasmgear-operator "$registry" "$version" "$profile" "$revision"),
$(product_image wasmgear-sidecar "$registry" "$version" "$profile" "$revision")
]}
EOF
}

# product_image NAME REGISTRY VERSION PROFILE REVISION - one entry of the spec. A release has the version as its tag; a
# development image's tag changes with its content, so that a cluster never runs an old one under a new name.
product_image() {
    cat <<EOF
{"name": "$2/$1", "version": "$3", "contentTag": $([ "$4" = dev ] && echo true || echo false), "user": "$NOBODY",
 "entrypoint": ["/$1"], "files": {"/$1": "$TOP/target/images/product/$1"},
 "labels": {"org.opencontainers.image.title": "$1", "org.opencontainers.image.version": "$3",
  "org.opencontainers.image.licenses": "Apache-2.0"${5:+, \"org.opencontainers.image.revision\": \"$5\"}}}
EOF
}

lab() {
    local tools=$TOP/target/tools name
    for name in pause coredns nats-server; do
        [ -x "$tools/$name" ] || fail "target/tools/$name is missing; install it with: make tools"
    done
    GOFLAGS='' CGO_ENABLED=0 go -C "$TOP/e2e/lab/probe" build -trimpath -buildvcs=false -ldflags '-s -w' -o "$TOP/target/bin/probe" .
    write_layout "$TOP/target/images/lab.refs" "$TOP/target/images/lab" "$TOP/target/bin/probe" \
        "$(realpath "$tools/pause")" "$(realpath "$tools/coredns")" "$(realpath "$tools/nats-server")" <<EOF
{"layout": "$TOP/target/images/lab", "created": 0, "images": [
 {"name": "wasmgear.test/pause", "version": "v1", "user": "$NOBODY", "entrypoint": ["/pause"], "files": {"/pause": "$tools/pause"}},
 {"name": "wasmgear.test/coredns", "version": "$COREDNS", "user": "$NOBODY", "entrypoint": ["/coredns"], "files": {"/coredns": "$tools/coredns"}},
 {"name": "wasmgear.test/nats-server", "version": "$NATS_SERVER", "user": "$NOBODY", "entrypoint": ["/nats-server"], "files": {"/nats-server": "$tools/nats-server"}},
 {"name": "wasmgear.test/probe", "version": "v1", "user": "$NOBODY", "entrypoint": ["/probe"], "files": {"/probe": "$TOP/target/bin/probe"}}
]}
EOF
}

case ${1:-} in
product | lab)
    make_writer
    "$1"
    ;;
*) fail "usage: build.sh product|lab" ;;
esac
