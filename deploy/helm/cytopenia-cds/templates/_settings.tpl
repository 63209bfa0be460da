{{/* How values become CDS_* variables and mounted files. */}}

{{/* A setting as text: YAML reads `off` as false and 16777216 as 1.6777216e+07. */}}
{{- define "cytopenia-cds.text" -}}
{{- if kindIs "bool" . -}}{{ ternary "on" "off" . }}
{{- else if kindIs "float64" . -}}{{ int64 . }}
{{- else if kindIs "slice" . -}}{{ join "," . }}
{{- else -}}{{ . }}
{{- end -}}
{{- end -}}

{{- define "cytopenia-cds.setting" -}}
{{- include "cytopenia-cds.text" (get .root.Values.settings .name | default .default) -}}
{{- end -}}

{{/* "true" where clients must prove who they are. `off` comes as false. */}}
{{- define "cytopenia-cds.authRequired" -}}
{{- if hasKey .Values.settings "CDS_AUTH" -}}
{{- has (include "cytopenia-cds.text" .Values.settings.CDS_AUTH) (list "required" "") -}}
{{- else -}}true{{- end -}}
{{- end -}}

{{- define "cytopenia-cds.isOn" -}}
{{- $value := get .root.Values.settings .name -}}
{{- if hasKey .root.Values.settings .name -}}{{ has (include "cytopenia-cds.text" $value) (list "on" "true" "1" "yes") }}
{{- else -}}{{ .default }}{{- end -}}
{{- end -}}

{{/* "true" where the database is the embedded one. */}}
{{- define "cytopenia-cds.embedded" -}}
{{- empty (dig "CDS_DATABASE_URL" "name" "" .Values.secrets) -}}
{{- end -}}

{{- define "cytopenia-cds.several" -}}
{{- or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1) -}}
{{- end -}}

{{/* What the ConfigMap holds: the settings, and those that follow from other values. */}}
{{- define "cytopenia-cds.config" -}}
{{- range $name, $value := .Values.settings }}
{{- with include "cytopenia-cds.text" $value }}
{{ $name }}: {{ . | quote }}
{{- end }}
{{- end }}
CDS_METRICS_BIND: {{ ternary (printf "%s:%d" (contains ":" .Values.server.host | ternary "[::]" .Values.server.host) (int .Values.metrics.port)) "off" .Values.metrics.enabled | quote }}
{{- if eq (include "cytopenia-cds.embedded" .) "true" }}
CDS_DATABASE_URL: sqlite:////var/lib/cytopenia-cds/cytopenia-cds.sqlite3
{{- end }}
{{- range $name, $secret := .Values.secrets }}
{{- if $secret.name }}
{{ $name }}_FILE: /etc/cytopenia-cds/secrets/{{ $name }}
{{- end }}
{{- end }}
{{- range $name, $file := .Values.files }}
{{- if and (or $file.secret $file.configMap) (not (and (eq $name "CDS_TRUSTED_CLIENTS") (ne (include "cytopenia-cds.authRequired" $) "true"))) }}
{{ $name }}: {{ include "cytopenia-cds.folder" $name }}/{{ $file.file }}
{{- end }}
{{- end }}
{{- with include "cytopenia-cds.conceptMaps" . }}
CDS_CONCEPT_MAPS: {{ . | quote }}
{{- end }}
{{- if .Values.knowledge.configMap }}
CDS_KNOWLEDGE_DIR: /var/lib/cytopenia-cds-knowledge
{{- end }}
{{- end -}}

{{/* CDS_TRUSTED_CLIENTS to /etc/cytopenia-cds/trusted-clients */}}
{{- define "cytopenia-cds.folder" -}}
/etc/cytopenia-cds/{{ include "cytopenia-cds.volume" . }}
{{- end -}}

{{- define "cytopenia-cds.volume" -}}
{{ . | trimPrefix "CDS_" | lower | replace "_" "-" }}
{{- end -}}

{{- define "cytopenia-cds.conceptMaps" -}}
{{- $files := list -}}
{{- range $name, $_ := .Values.conceptMaps.inline -}}
{{- $files = append $files (printf "/etc/cytopenia-cds/concept-maps/inline/%s" $name) -}}
{{- end -}}
{{- range .Values.conceptMaps.files -}}
{{- $files = append $files (printf "/etc/cytopenia-cds/concept-maps/site/%s" .) -}}
{{- end -}}
{{- join "," $files -}}
{{- end -}}
