{{/* Name of the SpinApp, and so of the operator's Deployment and Service. The operator also uses it as a label, which limits its length. */}}
{{- define "bridge.name" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "bridge.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* The operator's labels on the app's pods. */}}
{{- define "bridge.pods" -}}
core.spinkube.dev/app-name: {{ include "bridge.name" . }}
{{- end -}}

{{- define "bridge.secret" -}}
{{- .Values.secret.existing | default (include "bridge.name" .) -}}
{{- end -}}

{{/* The key of a token with few rights or, if there is none, of the admin's token. */}}
{{- define "bridge.tickKey" -}}
{{- .Values.tick.tokenKey | default (ternary "tick-token" "api-token" (not (empty .Values.secret.tickToken))) -}}
{{- end -}}
{{- define "bridge.metricsKey" -}}
{{- .Values.monitoring.tokenKey | default (ternary "metrics-token" "api-token" (not (empty .Values.secret.metricsToken))) -}}
{{- end -}}

{{- define "bridge.redisUrl" -}}
{{- if eq .Values.redis.mode "chart" -}}
redis://{{ include "bridge.name" . }}-redis:6379
{{- else if eq .Values.redis.mode "address" -}}
{{ .Values.redis.url }}
{{- end -}}
{{- end -}}

{{/* The port of that URL. */}}
{{- define "bridge.redisPort" -}}
{{- $port := regexFind ":[0-9]+$" (include "bridge.redisUrl" .) | trimPrefix ":" -}}
{{- $port | default "6379" -}}
{{- end -}}

{{- define "bridge.several" -}}
{{- if or .Values.autoscaling.enabled (gt (int .Values.replicas) 1) -}}yes{{- end -}}
{{- end -}}
