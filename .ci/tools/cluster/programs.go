//go:build tools

// Package cluster names the programs of the lab's cluster that are built as their projects publish them. It is never
// compiled: `install.sh` reads the list, and Go reads it to know which modules are needed.
package cluster

import (
	_ "github.com/nats-io/nats-server/v2"
	_ "helm.sh/helm/v4/cmd/helm"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kube-proxy"
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
	_ "k8s.io/kubernetes/cmd/kubectl"
	_ "k8s.io/kubernetes/cmd/kubelet"
)
