# shellcheck shell=bash
# Bringing the lab up.

# The programs that node.sh and the pods need from the machine, and the packages that have them.
MACHINE_PROGRAMS=(unshare:util-linux nsenter:util-linux flock:util-linux ip:iproute2 nft:nftables conntrack:conntrack
    runc:runc openssl:openssl tar:tar sysctl:procps)
LAB_TOOLS=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl etcd containerd
    containerd-shim-runc-v2 ctr pause coredns nats-server)

# check_machine - everything that would fail later with a worse sentence.
check_machine() {
    local pair range taken
    [ "$(uname -s)" = Linux ] || fail "the lab needs Linux"
    [ "$(id -u)" = 0 ] || fail "the lab needs root (it makes namespaces and cgroups); run: sudo make lab-up"
    [[ $LAB =~ ^/[A-Za-z0-9._/-]+$ && $LAB == /*/* && $LAB != *..* && $LAB != */ ]] \
        || fail "WASMGEAR_LAB is '$LAB'; expected an absolute path at least two levels deep, of letters, digits, '.', '_' and '-'"
    ((${#LAB} <= 60)) || fail "WASMGEAR_LAB is '$LAB', ${#LAB} characters; sockets live in it, so it may have 60"
    if [ -e "$LAB" ] && [ ! -e "$LAB/.wasmgear-lab" ] && [ "$(ls -A "$LAB")" ]; then
        fail "$LAB is not empty and not a lab; set WASMGEAR_LAB to another folder"
    fi
    for pair in "${LAB_TOOLS[@]}"; do
        [ -x "$TOOLS/$pair" ] || fail "target/tools/$pair is missing; install it with: make tools"
    done
    for pair in "${MACHINE_PROGRAMS[@]}"; do need "${pair%%:*}" "apt-get install ${pair#*:}"; done
    [ -x "$CNI_PLUGINS/ptp" ] || fail "$CNI_PLUGINS/ptp is missing; install it with: apt-get install containernetworking-plugins"
    grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || fail "this kernel has no overlayfs; containers need it (modprobe overlay)"
    for range in "$NODE_RANGE" "$POD_RANGE" "$SERVICE_RANGE"; do
        # Routes inside of the range, and those that cover it; the default route covers everything and does not count.
        taken=$({ ip route show to root "$range"; ip route show to match "$range"; } | grep -v "^default\|dev $CABLE\b" | head -n 1 || true)
        [ -z "$taken" ] || fail "the lab needs $range, which this machine uses: $taken"
    done
}

# The lab as this checkout would make it. A lab made otherwise is made anew.
identity() {
    {
        for tool in "${LAB_TOOLS[@]}"; do realpath "$TOOLS/$tool"; done
        stamp "$TOP/e2e/lab"
    } | sha256sum | cut -c 1-16
}

healthy() { lives "$LAB/run/node" && [ ! -e "$LAB/run/died" ] && [ -e "$LAB/run/ready" ]; }

# reuse - whether the lab that is there is the one that is wanted. Says why when it is not, and stops for one of others.
reuse() {
    local owner
    if [ ! -e "$LAB/.wasmgear-lab" ]; then return 1; fi
    owner=$(cat "$LAB/owner" 2>/dev/null || true)
    if lives "$LAB/run/node" && [ "$owner" != "$TOP" ] && [ -d "$owner" ]; then
        fail "a lab of $owner is up on this machine, which has room for one; take it down there: make -C $owner lab-down"
    fi
    if ! lives "$LAB/run/node"; then
        say "clearing what an earlier run left in $LAB"
    elif [ -e "$LAB/run/died" ]; then
        say "the lab is up but its $(cut -d' ' -f1 "$LAB/run/died") has ended; making it anew"
    elif [ ! -e "$LAB/run/ready" ]; then
        say "an earlier run was ended half-way; making the lab anew"
    elif [ "$(cat "$LAB/identity")" != "$(identity)" ]; then
        in_use && fail "the lab is of other versions or scripts and is in use by: $(users_of_lab); wait for its end"
        say "tools or scripts have changed since the lab was made; making it anew"
    else
        return 0
    fi
    return 1
}

# prepare - the lab's folder, and the folders for its private mounts.
prepare() {
    local path up
    mkdir -p "$LAB"
    : >"$LAB/.wasmgear-lab"
    mkdir -p "$LAB"/{run,log,images}
    printf '%s\n' "$TOP" >"$LAB/owner"
    identity >"$LAB/identity"
    for path in /run/containerd /var/lib/kubelet /var/lib/cni /var/log/containers; do
        printf '%s\n' "$path" >>"$LAB/run/folders"
        # Written down before it is made, upper folders first.
        while read -r up; do
            [ -d "$up" ] && continue
            printf '%s\n' "$up" >>"$LAB/run/made"
            mkdir "$up"
        done < <(upper_folders "$path")
    done
}

upper_folders() {
    local path=$1 all=""
    while [ "$path" != / ]; do
        all=$path$'\n'$all
        path=$(dirname "$path")
    done
    printf '%s' "$all"
}

# start_node - the first process, in its cgroup and namespaces. It keeps the lock until it is in the cgroup: from then on
# the next run finds it there.
start_node() {
    make_cgroups
    # shellcheck disable=SC2016 # expanded by the inner shell
    setsid bash -euc '
        PART=node; . "$1/../../.ci/lib.sh"; . "$1/lib/settings.sh"; . "$1/lib/process.sh"
        enter_cgroups $$
        exec 9>&-
        exec unshare --fork --kill-child=KILL --pid --mount --net --propagation private "$1/node.sh" "$2" "$3"
    ' start "$HERE" "$LAB" "$TOOLS" </dev/null >"$LAB/log/node.log" 2>&1 &
    node_is_started=yes
    wait_for 20 "the node's first process did not start" "$LAB/log/node.log" test -s "$LAB/run/node"
}

# plug_in - a cable between the machine and the node, and routes over it: kubectl and tests work from any shell.
plug_in() {
    local pid
    read -r pid _ <"$LAB/run/node"
    ip link add "$CABLE" type veth peer name eth0 netns "$pid"
    ip addr add "$MACHINE_IP/30" dev "$CABLE"
    ip link set "$CABLE" up
    ip route add "$POD_RANGE" via "$NODE_IP"
    ip route add "$SERVICE_RANGE" via "$NODE_IP"
}

# Called by wait_for: waiting for something that can not come any more ends at once.
still_worth_waiting() {
    local name status
    if [ -z "${node_is_started:-}" ]; then return; fi
    if [ -e "$LAB/run/died" ]; then
        read -r name status <"$LAB/run/died"
        fail "$1: $name ended by itself with exit code $status" "$LAB/log/$name.log"
    fi
    if [ -e "$LAB/run/node" ] && ! lives "$LAB/run/node"; then
        fail "$1: the node's first process has ended" "$LAB/log/node.log"
    fi
}

node_is_ready() { kube get node "$NODE" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' | grep -qx True; }
api_answers() { kube get --raw /readyz; }
runtime_answers() { ctr version; }
default_account() { kube get serviceaccount default -n default; }
rollout_is_done() { kube rollout status "$1" -n "$2" --timeout=1s; }

# apply NAME SED - a manifest of the lab, with its placeholders filled in.
apply() {
    sed "$2" "$HERE/manifests/$1.yaml" | kube apply -f - >"$LAB/log/apply-$1.log" 2>&1 \
        || fail "the API server refused manifests/$1.yaml" "$LAB/log/apply-$1.log"
}

lab_up() {
    local began=$SECONDS
    check_machine
    lock
    if reuse; then
        import_images
        say "is up already ($(took "$began"))"
        how_to_use
        return
    fi
    clean
    prepare
    write_pki
    write_config
    start_node
    plug_in
    say "programs are starting ($(took "$began"))"
    wait_for 60 "containerd does not answer" "$LAB/log/containerd.log" runtime_answers
    import_images
    wait_for 90 "the API server is not ready" "$LAB/log/apiserver.log" api_answers
    say "the API server answers ($(took "$began"))"
    wait_for 60 "no default service account" "$LAB/log/controller-manager.log" default_account
    apply dns "s|@COREDNS@|$COREDNS|"
    apply nats "s|@NATS_IMAGE@|wasmgear.test/nats-server:$NATS_SERVER|"
    wait_for 60 "node $NODE is not Ready" "$LAB/log/kubelet.log" node_is_ready
    say "node $NODE is Ready ($(took "$began"))"
    wait_for 90 "cluster DNS does not become ready" "$LAB/log/kubelet.log" rollout_is_done deployment/coredns kube-system
    wait_for 90 "NATS does not become ready" "$LAB/log/kubelet.log" rollout_is_done statefulset/nats nats
    : >"$LAB/run/ready"
    say "is up: Kubernetes $KUBERNETES, DNS, NATS $NATS_SERVER, in $(took "$began")"
    how_to_use
}

how_to_use() {
    say "  export KUBECONFIG=$LAB/kubeconfig"
    say "  NATS: nats://$(kube get service nats -n nats -o 'jsonpath={.spec.clusterIP}'):4222 from this machine, nats://nats.nats:4222 from pods"
}
