#!/usr/bin/env bash
# node.sh LAB TOOLS - the lab's first process. `lab up` starts it in process, mount and network namespaces of its own.
#
# It starts the programs of a one-node Kubernetes in order and stays. Because it is process 1 of its namespace, its end is
# the end of everything below it: programs, containers, mounts, network. That is how the lab is taken down, and why a run
# that was killed at any point can be taken down too.
#
# It writes: run/node (its own record), run/died (the first program that ended by itself), log/<program>.log.
set -euo pipefail
PART=node
LAB=$1
TOOLS=$2
HERE=$(dirname "$0")
# shellcheck source=.ci/lib.sh
. "$HERE/../../.ci/lib.sh"
# shellcheck source=e2e/lab/lib/settings.sh
. "$HERE/lib/settings.sh"
# shellcheck source=e2e/lab/lib/process.sh
. "$HERE/lib/process.sh"
LAB=$1
PKI=$LAB/pki

declare -A name_of=()

# run NAME COMMAND… - starts a program in the background, its output in log/NAME.log.
run() {
    local name=$1
    shift
    "$@" </dev/null >"$LAB/log/$name.log" 2>&1 &
    name_of[$!]=$name
}

# private_mounts - paths that programs have built in become folders of the lab, seen by the lab alone.
private_mounts() {
    local path file
    # Still the machine's /proc here: the record needs the number by which the machine knows this process.
    read -r path _ </proc/self/stat
    record "$path" >"$LAB/run/node.new"
    mv "$LAB/run/node.new" "$LAB/run/node"
    mount --make-rshared /
    mount -t proc proc /proc
    while read -r path; do
        mkdir -p "$LAB/private$path"
        mount --bind "$LAB/private$path" "$path"
    done <"$LAB/run/folders"
    mount -t tmpfs -o mode=0755 tmpfs /run/containerd
    # The kubelet sets these for the whole machine; it gets files that only look like them.
    mkdir -p "$LAB/private/sysctl"
    for path in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys \
        kernel/keys/root_maxbytes; do
        file=$LAB/private/sysctl/${path//\//.}
        cat "/proc/sys/$path" >"$file"
        mount --bind "$file" "/proc/sys/$path"
    done
}

cable_is_there() { ip link show eth0; }

# network - the node's address, a route for Service addresses, and nothing that leads out.
network() {
    wait_for 20 "the cable from the machine (lab up was ended before it plugged it in)" "" cable_is_there
    ip link set lo up
    ip addr add "$NODE_IP/30" dev eth0
    ip link set eth0 up
    # A connection to a Service's address is rewritten after it is routed, so it needs a route first.
    ip route add "$SERVICE_RANGE" dev eth0 src "$NODE_IP"
    sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
    # The machine reaches pods; pods do not reach the machine.
    nft -f - <<EOF
table inet wasmgear_lab {
  chain forward {
    type filter hook forward priority filter; policy accept;
    oifname "eth0" ct state new drop
  }
}
EOF
}

api_is_ready() { "$TOOLS/kubectl" --kubeconfig "$LAB/kubeconfig" get --raw /readyz; }

control_plane() {
    run etcd "$TOOLS/etcd" --data-dir "$LAB/etcd" --unsafe-no-fsync \
        --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
        --listen-peer-urls http://127.0.0.1:2380
    PATH=$TOOLS:$PATH run containerd "$TOOLS/containerd" -c "$LAB/etc/containerd.toml"
    run apiserver "$TOOLS/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 \
        --advertise-address="$NODE_IP" --bind-address=0.0.0.0 --secure-port=6443 \
        --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" --client-ca-file="$PKI/ca.crt" \
        --service-cluster-ip-range="$SERVICE_RANGE" --service-account-issuer=https://kubernetes.default.svc.cluster.local \
        --service-account-key-file="$PKI/service-accounts.pub" \
        --service-account-signing-key-file="$PKI/service-accounts.key" \
        --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
        --kubelet-client-certificate="$PKI/kubelet-client.crt" --kubelet-client-key="$PKI/kubelet-client.key" \
        --kubelet-certificate-authority="$PKI/ca.crt" --kubelet-preferred-address-types=InternalIP \
        --audit-policy-file="$LAB/etc/audit.yaml" --audit-log-path="$LAB/log/audit.log"
    wait_for 90 "the API server is not ready" "$LAB/log/apiserver.log" api_is_ready
    run controller-manager "$TOOLS/kube-controller-manager" --kubeconfig="$PKI/controller-manager.kubeconfig" \
        --service-account-private-key-file="$PKI/service-accounts.key" --root-ca-file="$PKI/ca.crt" \
        --use-service-account-credentials=true --leader-elect=false --bind-address=127.0.0.1
    run scheduler "$TOOLS/kube-scheduler" --kubeconfig="$PKI/scheduler.kubeconfig" --leader-elect=false \
        --bind-address=127.0.0.1
}

containerd_answers() { [ -S "$LAB/containerd.sock" ]; }

node() {
    run proxy "$TOOLS/kube-proxy" --kubeconfig="$PKI/proxy.kubeconfig" --proxy-mode=nftables \
        --cluster-cidr="$POD_RANGE" --hostname-override="$NODE" --conntrack-max-per-core=0
    wait_for 60 "containerd does not answer" "$LAB/log/containerd.log" containerd_answers
    run kubelet "$TOOLS/kubelet" --kubeconfig="$PKI/node.kubeconfig" --config="$LAB/etc/kubelet.yaml" \
        --hostname-override="$NODE" --node-ip="$NODE_IP"
}

# watch - the first program that ends by itself is written down; the others stay, so that one can look.
watch() {
    local pid status
    while true; do
        status=0
        wait -n -p pid || status=$?
        if [ -z "${pid:-}" ]; then fail "no program is left"; fi
        if [ "${name_of[$pid]:-}" ] && [ ! -e "$LAB/run/died" ]; then
            say "${name_of[$pid]} ended by itself, exit code $status"
            printf '%s %s\n' "${name_of[$pid]}" "$status" >"$LAB/run/died"
        fi
    done
}

private_mounts
network
control_plane
node
say "all programs are started"
watch
