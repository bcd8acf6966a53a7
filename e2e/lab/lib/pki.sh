# shellcheck shell=bash
# The lab's certificates: one authority, one certificate per part, each with the name that RBAC knows it by. Separate
# names are what makes the audit log worth reading.

# authority - a certificate authority in the current folder.
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 365 \
        -subj /CN=wasmgear-lab-ca -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

# certificate FILE SUBJECT USAGE [NAMES] - signed by the authority; USAGE is clientAuth or serverAuth.
certificate() {
    local extensions="keyUsage=critical,digitalSignature\nextendedKeyUsage=$3\nbasicConstraints=critical,CA:FALSE\n"
    if [ "${4:-}" ]; then extensions+="subjectAltName=$4\n"; fi
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "$2"
    # shellcheck disable=SC2059 # the text is ours and its \n are wanted
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -out "$1.crt" \
        -extfile <(printf "$extensions")
    rm "$1.csr"
}

# kubeconfig FILE CERTIFICATE - a complete kubeconfig with everything in it, so that it can be copied.
kubeconfig() {
    (
        umask 077
        cat >"$1" <<EOF
apiVersion: v1
kind: Config
clusters:
  - name: wasmgear-lab
    cluster: {server: "https://$NODE_IP:6443", certificate-authority-data: $(base64 -w0 ca.crt)}
users:
  - name: $2
    user: {client-certificate-data: $(base64 -w0 "$2.crt"), client-key-data: $(base64 -w0 "$2.key")}
contexts:
  - name: wasmgear-lab
    context: {cluster: wasmgear-lab, user: $2}
current-context: wasmgear-lab
EOF
    )
}

# write_pki - all of it, in $LAB/pki, and the person's kubeconfig in $LAB/kubeconfig.
write_pki() {
    local log=$LAB/log/pki.log service=kubernetes.default.svc
    mkdir -p "$LAB/pki"
    (
        umask 077
        cd "$LAB/pki"
        authority
        certificate apiserver /CN=kube-apiserver serverAuth \
            "DNS:kubernetes,DNS:kubernetes.default,DNS:$service,DNS:$service.cluster.local,DNS:localhost,IP:$NODE_IP,IP:$API_SERVICE_IP,IP:127.0.0.1"
        certificate kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
        certificate admin /O=system:masters/CN=admin clientAuth
        certificate controller-manager /CN=system:kube-controller-manager clientAuth
        certificate scheduler /CN=system:kube-scheduler clientAuth
        certificate proxy /CN=system:kube-proxy clientAuth
        certificate node "/O=system:nodes/CN=system:node:$NODE" clientAuth
        certificate kubelet "/CN=$NODE" serverAuth "DNS:$NODE,IP:$NODE_IP"
        openssl ecparam -name prime256v1 -genkey -noout -out service-accounts.key
        openssl ec -in service-accounts.key -pubout -out service-accounts.pub
        for who in controller-manager scheduler proxy node; do kubeconfig "$who.kubeconfig" "$who"; done
        kubeconfig "$LAB/kubeconfig" admin
    ) >"$log" 2>&1 || fail "the lab's certificates could not be made" "$log"
}
