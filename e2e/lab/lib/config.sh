# shellcheck shell=bash
# The configuration files of the node's programs, written into $LAB/etc.

write_config() {
    mkdir -p "$LAB/etc/cni"
    write_audit_policy
    write_containerd
    write_network
    write_kubelet
    # Pods that ask for the node's own name server get one that does not exist: nothing leaves the lab.
    : >"$LAB/etc/resolv.conf"
}

# Every write is in the audit log, with who made it and to what: "zero writes at rest" is counted there.
write_audit_policy() {
    cat >"$LAB/etc/audit.yaml" <<EOF
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    verbs: [create, update, patch, delete, deletecollection]
  - level: None
EOF
}

# restrict_oom_score_adj: without CAP_SYS_RESOURCE runc dies with "can't get final child's PID from pipe". The plugins
# that are switched off would make folders of their own outside of the lab.
write_containerd() {
    cat >"$LAB/etc/containerd.toml" <<EOF
version = 3
root = "$LAB/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]
[grpc]
  address = "$LAB/containerd.sock"
[ttrpc]
  address = "$LAB/containerd.sock.ttrpc"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "$PAUSE_IMAGE"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["$CNI_PLUGINS"]
    conf_dir = "$LAB/etc/cni"
EOF
}

# Each pod has a cable of its own to the node and everything between pods is routed: the way back always passes the rules
# that rewrote the way there, whether or not the kernel filters bridges.
write_network() {
    cat >"$LAB/etc/cni/10-lab.conflist" <<EOF
{"cniVersion": "1.0.0", "name": "wasmgear-lab", "plugins": [
  {"type": "ptp", "ipMasq": false, "ipam": {
    "type": "host-local", "dataDir": "$LAB/cni", "ranges": [[{"subnet": "$POD_RANGE"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
EOF
}

# Images can not be pulled again, so none is ever collected; logs are kept whole, because they get scanned.
write_kubelet() {
    cat >"$LAB/etc/kubelet.yaml" <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
cgroupRoot: /$CGROUP
failCgroupV1: false
failSwapOn: false
containerRuntimeEndpoint: unix://$LAB/containerd.sock
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $LAB/pki/ca.crt}}
tlsCertFile: $LAB/pki/kubelet.crt
tlsPrivateKeyFile: $LAB/pki/kubelet.key
clusterDNS: ["$DNS_IP"]
clusterDomain: cluster.local
resolvConf: $LAB/etc/resolv.conf
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
containerLogMaxSize: 500Mi
podLogsDir: $LAB/log/pods
volumePluginDir: $LAB/kubelet/plugins
EOF
}
