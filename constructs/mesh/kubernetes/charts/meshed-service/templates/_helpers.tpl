{{/* Labels of every object of the service. */}}
{{- define "meshed-service.labels" -}}
app.kubernetes.io/name: {{ .Values.name | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- end }}

{{/* What selects the pods of one workload; takes a dict of the service's name and the workload's. */}}
{{- define "meshed-service.selector" -}}
app.kubernetes.io/name: {{ .service | quote }}
app.kubernetes.io/instance: {{ .workload | quote }}
{{- end }}
