{{/* Of the SpinApp, and so of the Deployment and the Service that the operator makes. A label of the operator holds it, which bounds its length. */}}
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

{{/* What the operator puts on the pods of the app. */}}
{{- define "bridge.pods" -}}
core.spinkube.dev/app-name: {{ include "bridge.name" . }}
{{- end -}}

{{- define "bridge.secret" -}}
{{- .Values.secret.existing | default (include "bridge.name" .) -}}
{{- end -}}

{{/* The key of a token with few rights, or that of the admin's where there is none. */}}
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
