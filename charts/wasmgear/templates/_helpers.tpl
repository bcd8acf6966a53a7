{{/* Name of everything that the chart makes: the release's, with the chart's where the release does not say it. */}}
{{- define "wasmgear.fullname" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- printf "%s-operator" ($name | trunc 50 | trimSuffix "-") -}}
{{- end -}}

{{- define "wasmgear.selector" -}}
app.kubernetes.io/name: wasmgear-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "wasmgear.labels" -}}
{{ include "wasmgear.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: wasmgear
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Whether some registry is a folder, which the operator serves to sidecars. */}}
{{- define "wasmgear.folders" -}}
{{- range .Values.registries }}{{ if eq .kind "folder" }}yes{{ end }}{{ end -}}
{{- end -}}

{{/* The registries as the operator reads them. */}}
{{- define "wasmgear.registries" -}}
{{- $list := list -}}
{{- range .Values.registries -}}
{{- $source := dict "kind" .kind -}}
{{- if eq .kind "folder" -}}
{{- $source = dict "kind" "folder" "path" (printf "/var/lib/wasmgear/%s%s" .name (empty .path | ternary "" (printf "/%s" (.path | default "")))) -}}
{{- end -}}
{{- $list = append $list (dict "name" .name "match" (.match | default "urn:wasm:") "source" $source) -}}
{{- end -}}
{{- $list | toPrettyJson -}}
{{- end -}}

{{/* What the operator does in the namespaces of gears; each verb is used, and a test takes each away in turn. */}}
{{- define "wasmgear.rules" -}}
- apiGroups: [gears.fluxrig.org]
  resources: [wasmgears]
  verbs: [get, list, watch]
- apiGroups: [gears.fluxrig.org]
  resources: [wasmgears/status]
  verbs: [patch]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get, list, watch, create, patch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
# Whether a Secret is there and which keys it has, by name alone.
- apiGroups: [""]
  resources: [secrets]
  resourceNames: {{ concat (list "wasmgear-nats") .Values.secretNames | toJson }}
  verbs: [get]
{{- end -}}
