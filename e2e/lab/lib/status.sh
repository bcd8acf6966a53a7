# shellcheck shell=bash
# What runs: the node's programs, the node, the pods.

lab_status() {
    local pid
    if ! lives "$LAB/run/node"; then
        say "is not up"
        [ -e "$LAB/.wasmgear-lab" ] && say "an earlier run left things in $LAB; clear them with: make lab-down"
        exit 3
    fi
    printf 'lab of      %s\nfolder      %s\nlogs        %s/log\n' "$(cat "$LAB/owner")" "$LAB" "$LAB"
    printf 'kubeconfig  %s/kubeconfig\n\n' "$LAB"
    printf '%-26s %8s %10s\n' PROGRAM PID 'RSS MiB'
    for pid in $(cgroup_processes); do
        case $(cat "/proc/$pid/comm" 2>/dev/null || true) in
        etcd | containerd | kube-* | kubelet) printf '%-26s %8s %10s\n' "$(basename "$(readlink "/proc/$pid/exe")")" "$pid" \
            "$(awk '/^VmRSS/ {printf "%.0f", $2 / 1024}' "/proc/$pid/status")" ;;
        esac
    done
    printf '\n'
    if [ -e "$LAB/run/died" ]; then
        say "$(cut -d' ' -f1 "$LAB/run/died") has ended by itself; see $LAB/log/$(cut -d' ' -f1 "$LAB/run/died").log; make it anew with: make lab-up"
        exit 1
    fi
    kube get nodes --request-timeout=5s || fail "the API server does not answer" "$LAB/log/apiserver.log"
    printf '\n'
    kube get pods -A -o wide --request-timeout=5s
    healthy || fail "the lab is not complete: lab up was ended half-way, or is at work"
}
