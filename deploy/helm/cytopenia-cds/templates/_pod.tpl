{{/* What all pods of the chart share. */}}

{{- define "cytopenia-cds.podBasics" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "cytopenia-cds.containerBasics" -}}
image: {{ include "cytopenia-cds.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The volume of secrets named in `names`, or of all; a key each, by the setting's name. */}}
{{- define "cytopenia-cds.secretsVolume" -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $name, $secret := .root.Values.secrets }}
      {{- if and $secret.name (or (not $.names) (has $name $.names)) }}
      - secret:
          name: {{ $secret.name }}
          items:
            - {key: {{ $secret.key | quote }}, path: {{ $name }}}
      {{- end }}
      {{- end }}
{{- end -}}

{{- define "cytopenia-cds.hasSecrets" -}}
{{- $names := list -}}
{{- range $name, $secret := .Values.secrets -}}
{{- if $secret.name -}}{{- $names = append $names $name -}}{{- end -}}
{{- end -}}
{{- not (empty $names) -}}
{{- end -}}

{{/* A pod that runs one command of the service on the database, and ends. Takes root, component, arguments and, for a pod made before the chart's ServiceAccount, its own account. */}}
{{- define "cytopenia-cds.recordsPod" -}}
metadata:
  labels:
    {{- include "cytopenia-cds.labels" . | nindent 4 }}
    {{- with .root.Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "cytopenia-cds.podBasics" .root | nindent 2 }}
  serviceAccountName: {{ .account }}
  restartPolicy: Never
  containers:
    - name: {{ .component }}
      {{- include "cytopenia-cds.containerBasics" .root | nindent 6 }}
      command: [cds-service]
      args: {{ toJson .arguments }}
      workingDir: /tmp
      env:
        - {name: CDS_DATABASE_URL_FILE, value: /etc/cytopenia-cds/secrets/CDS_DATABASE_URL}
        {{- with .root.Values.settings.CDS_RETENTION_DAYS }}
        - {name: CDS_RETENTION_DAYS, value: {{ include "cytopenia-cds.text" . | quote }}}
        {{- end }}
      {{- with .root.Values.migration.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - {name: secrets, mountPath: /etc/cytopenia-cds/secrets, readOnly: true}
        - {name: tmp, mountPath: /tmp}
  volumes:
    {{- include "cytopenia-cds.secretsVolume" (dict "root" .root "names" (list "CDS_DATABASE_URL")) | nindent 4 }}
    - name: tmp
      emptyDir: {sizeLimit: {{ .root.Values.tmpSizeLimit }}}
{{- end -}}
