#!/usr/bin/env bash
# Writes prometheus-rules.yaml: monitoring/alert_rules/*.yml as the Prometheus operator takes them, one object a file. The rules
# are taken over line by line, so that there is one source of them; `rules.sh --check` fails when the file is stale.
set -euo pipefail
cd "$(dirname "$0")"
rules=../../monitoring/alert_rules

render() {
  echo "# Written by rules.sh from monitoring/alert_rules. Do not edit."
  for file in "$rules"/*.yml; do
    stem=$(basename "$file" .yml)
    cat <<YAML
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: firedrill-${stem//_/-}
  namespace: firedrill
  labels: {app.kubernetes.io/part-of: firedrill}
spec:
YAML
    sed 's/^\(..*\)$/  \1/' "$file"
  done
}

if [ "${1:-}" = --check ]; then
  if ! diff <(render) prometheus-rules.yaml >&2; then
    echo "deploy/kubernetes/prometheus-rules.yaml is stale: deploy/kubernetes/rules.sh" >&2
    exit 1
  fi
else
  render >prometheus-rules.yaml
fi
