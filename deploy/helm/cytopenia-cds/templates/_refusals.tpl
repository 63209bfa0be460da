{{/* Combinations of values that would install and then not work, or work wrongly: refused, all at once. */}}
{{- define "cytopenia-cds.refusals" -}}
{{- $embedded := eq (include "cytopenia-cds.embedded" .) "true" -}}
{{- $several := eq (include "cytopenia-cds.several" .) "true" -}}
{{- $required := eq (include "cytopenia-cds.authRequired" .) "true" -}}
{{- $remembers := or (eq (include "cytopenia-cds.isOn" (dict "root" . "name" "CDS_MEMORY" "default" "true")) "true") (eq (include "cytopenia-cds.isOn" (dict "root" . "name" "CDS_AUDIT" "default" "true")) "true") -}}
{{- $url := urlParse (.Values.settings.CDS_PUBLIC_URL | default "") -}}
{{- $http := eq (include "cytopenia-cds.isOn" (dict "root" . "name" "CDS_ALLOW_HTTP" "default" "false")) "true" -}}
{{- $drain := int (include "cytopenia-cds.setting" (dict "root" . "name" "CDS_DRAIN_SECONDS" "default" "5")) -}}
{{- $budget := div (add (int (include "cytopenia-cds.setting" (dict "root" . "name" "CDS_TIME_BUDGET_MS" "default" "2000"))) 999) 1000 -}}
{{- $grace := add $drain $budget 33 -}}
{{- $problems := list -}}
{{- if and $several $embedded -}}
{{- $problems = append $problems "Several replicas need one database: with the embedded SQLite each would have its own memory of cards, feedback and used tokens. Name a Secret with the URL of a PostgreSQL in secrets.CDS_DATABASE_URL.name, or run one replica (replicaCount: 1, autoscaling.enabled: false)." -}}
{{- end -}}
{{- if and $several $remembers (not (dig "CDS_PSEUDONYM_KEY" "name" "" .Values.secrets)) -}}
{{- $problems = append $problems "Several replicas need the same pseudonym key: else what one remembers the others don't recognise. Name a Secret with it in secrets.CDS_PSEUDONYM_KEY.name." -}}
{{- end -}}
{{- if and $several (or (dig "CDS_SMART_REGISTRATIONS" "secret" "" .Values.files) (dig "CDS_SMART_REGISTRATIONS" "configMap" "" .Values.files)) (not (dig "CDS_SESSION_KEY" "name" "" .Values.secrets)) -}}
{{- $problems = append $problems "Several replicas of the SMART app need the same session key: else a chart opened at one is unknown to the others. Name a Secret with it in secrets.CDS_SESSION_KEY.name." -}}
{{- end -}}
{{- if and $required (not (dig "CDS_TRUSTED_CLIENTS" "secret" "" .Values.files)) (not (dig "CDS_TRUSTED_CLIENTS" "configMap" "" .Values.files)) -}}
{{- $problems = append $problems "The service answers trusted clients only, and none are named. Name a Secret with them in files.CDS_TRUSTED_CLIENTS.secret, or, behind a gateway that authenticates clients, set settings.CDS_AUTH: \"off\"." -}}
{{- end -}}
{{- range $name, $file := .Values.files -}}
{{- if and $file.secret $file.configMap -}}
{{- $problems = append $problems (printf "files.%s has a secret and a configMap; keep one." $name) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (not (dig "requests" "cpu" "" (.Values.resources | default dict))) -}}
{{- $problems = append $problems "Autoscaling goes by the CPU requested: set resources.requests.cpu." -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- $problems = append $problems "autoscaling.minReplicas is more than autoscaling.maxReplicas." -}}
{{- end -}}
{{- if and .Values.persistence.enabled (not $embedded) -}}
{{- $problems = append $problems "persistence is the embedded SQLite's volume, and there is a PostgreSQL: set persistence.enabled: false." -}}
{{- end -}}
{{- if and .Values.purge.enabled $embedded -}}
{{- $problems = append $problems "purge runs in a pod of its own, which doesn't reach the embedded SQLite: set purge.enabled: false, and run `cds-service records purge` in the service's pod." -}}
{{- end -}}
{{- if and .Values.purge.enabled (not .Values.settings.CDS_RETENTION_DAYS) -}}
{{- $problems = append $problems "purge deletes what settings.CDS_RETENTION_DAYS says, which isn't set." -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.tlsSecret) (not $http) -}}
{{- $problems = append $problems "Patients' data travels through the Ingress: name a TLS Secret in ingress.tlsSecret. In a test setup without TLS say so with settings.CDS_ALLOW_HTTP: \"on\"." -}}
{{- end -}}
{{- if and .Values.ingress.enabled (trimAll "/" $url.path) -}}
{{- $problems = append $problems "CDS_PUBLIC_URL has a path, which an Ingress can't take off in a way that all controllers share: give the service a host of its own, or set ingress.enabled: false and route to the Service yourself." -}}
{{- end -}}
{{- if and (ne $url.scheme "https") (not $http) (not (has (regexReplaceAll ":\\d+$" $url.host "") (list "localhost" "127.0.0.1" "[::1]"))) -}}
{{- $problems = append $problems "settings.CDS_PUBLIC_URL must begin with https://. In a test setup without TLS say so with settings.CDS_ALLOW_HTTP: \"on\"." -}}
{{- end -}}
{{- if and .Values.conceptMaps.files (not .Values.conceptMaps.configMap) -}}
{{- $problems = append $problems "conceptMaps.files lie in a ConfigMap: name it in conceptMaps.configMap." -}}
{{- end -}}
{{- if and .Values.conceptMaps.configMap (not .Values.conceptMaps.files) -}}
{{- $problems = append $problems "Say which files of conceptMaps.configMap are concept maps: conceptMaps.files." -}}
{{- end -}}
{{- if and (or .Values.monitoring.serviceMonitor.enabled .Values.monitoring.prometheusRule.enabled) (not .Values.metrics.enabled) -}}
{{- $problems = append $problems "Monitoring needs metrics: set metrics.enabled: true." -}}
{{- end -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (int $grace) -}}
{{- $problems = append $problems (printf "Calls in flight would be cut: terminationGracePeriodSeconds must be at least CDS_DRAIN_SECONDS, CDS_TIME_BUDGET_MS and 33 seconds, %d here." $grace) -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "\n\nThese values can't work together:\n- %s\n" (join "\n- " $problems)) -}}
{{- end -}}
{{- end -}}
