#!/usr/bin/env bash
# update.sh - write .ci/tools/cluster/go.mod and go.sum anew from .ci/versions.env. For the person who changes a version;
# the result is committed, so that everybody builds the same.
#
# Kubernetes publishes its own libraries (k8s.io/api …) under v0.* versions and replaces them by folders in its own
# go.mod, so a module that builds its programs has to map each of them to its published version.
set -euo pipefail
PART=tools
cd "$(dirname "$0")/cluster"
# shellcheck source=.ci/lib.sh
. ../../lib.sh
# shellcheck source=.ci/versions.env
. ../../versions.env
need go "https://go.dev/doc/install"

say "reading the go.mod of Kubernetes $KUBERNETES"
published=$(GOFLAGS=-mod=mod go mod download -json "k8s.io/kubernetes@$KUBERNETES" | sed -n 's/^.*"GoMod": "\(.*\)",$/\1/p')
[ -f "$published" ] || fail "the Go module proxy has no k8s.io/kubernetes $KUBERNETES"
{
    printf 'module wasmgear.test/cluster\n\ngo 1.26.0\n\nrequire (\n'
    printf '\tk8s.io/kubernetes %s\n' "$KUBERNETES"
    printf '\tgo.etcd.io/etcd/server/v3 %s\n' "$ETCD"
    printf '\tgithub.com/coredns/coredns %s\n' "$COREDNS"
    printf '\tgithub.com/nats-io/nats-server/v2 %s\n' "$NATS_SERVER"
    printf '\thelm.sh/helm/v4 %s\n)\n\nreplace (\n' "$HELM"
    grep -oE '^\s+k8s\.io/[a-z-]+ v0\.0\.0($| //)' "$published" \
        | awk -v v="$KUBERNETES_STAGING" '{print "\t" $1 " => " $1 " " v}' | LC_ALL=C sort -u
    printf ')\n'
} >go.mod.new
mv go.mod.new go.mod
rm -f go.sum
say "resolving every other version (go mod tidy)"
# -e: tests of the programs import folders that are not published; they are not built here.
go mod tidy -e 2>/dev/null
say "go.mod and go.sum are new; build with: make tools"
