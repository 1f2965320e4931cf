#!/usr/bin/env bash
# Writes prometheus-rules.yaml: monitoring/alert_rules/*.yml as objects of the Prometheus operator, one per file. Rules are
# copied line by line, so that there is one source. `rules.sh --check` fails if the file is stale; `--print` prints the
# output.
#
# Rules about jobs that no manifest scrapes are omitted, because they would fire forever or never. Settings, all optional:
#
#   JOBS="alertmanager=alertmanager-main prometheus=prometheus-k8s node=node-exporter"
#                    further jobs scraped by the cluster's Prometheus: NAME IN RULES=NAME IN THE CLUSTER
#   RUNBOOKS=https://…     address before /ALERTNAME in links to runbooks, instead of http://127.0.0.1:8025/runbooks
#   DASHBOARDS=https://…   address before /d/UID in links to dashboards, instead of http://127.0.0.1:3000
set -euo pipefail
cd "$(dirname "$0")"
rules=../../monitoring/alert_rules

# NAME=NAME IN THE CLUSTER of all scraped jobs.
scraped=$(sed -n 's/.*{targetLabel: job, replacement: \([a-z-]*\)}.*/\1=\1/p' service-monitors.yaml)
for job in ${JOBS:-}; do
  case "$job" in
    ?*=?*) scraped="$scraped $job" ;;
    *) echo "rules.sh: invalid JOBS entry \`$job\`: expected NAME=NAME_IN_THE_CLUSTER, such as node=node-exporter" >&2; exit 2 ;;
  esac
done

# A rule begins with its comments and ends where the next one begins.
adapt() {
  awk -v scraped="$(echo $scraped)" -v runbooks="${RUNBOOKS:-}" -v dashboards="${DASHBOARDS:-}" '
    BEGIN {
      gsub(/&/, "\\\\&", runbooks); gsub(/&/, "\\\\&", dashboards)
      count = split(scraped, pairs, " ")
      for (i = 1; i <= count; i++) { split(pairs[i], pair, "="); name[pair[1]] = pair[2] }
      # Jobs without a separate alert for being down.
      for (i = 1; i <= count; i++) {
        split(pairs[i], pair, "=")
        if (pair[1] !~ /^(api|alertmanager|load)$/) others = others (others ? "|" : "") pair[2]
      }
    }
    function flush(  known, rest, job) {
      known = 1
      for (rest = rule; match(rest, /job="[^"]*"/); rest = substr(rest, RSTART + RLENGTH)) {
        job = substr(rest, RSTART + 5, RLENGTH - 6)
        if (!(job in name)) known = 0
      }
      if (known) printf "%s", rule
      rule = ""; begun = 0
    }
    begun && /^ *(#|- (alert|record):|$)/ { flush() }
    /^ *- (alert|record):/ { begun = 1 }
    # Removes one of several targets; the others stay.
    match($0, /^ *or absent\(up\{job="[^"]*"\}\)$/) {
      job = $0; gsub(/^[^"]*"|"[^"]*$/, "", job)
      if (!(job in name)) next
    }
    {
      # A cluster has other targets, which have their own alerts.
      sub(/job!~"api\|alertmanager\|load"/, "job=~\"" others "\"")
      if (runbooks) sub(/http:\/\/127\.0\.0\.1:8025\/runbooks/, runbooks)
      if (dashboards) sub(/http:\/\/127\.0\.0\.1:3000/, dashboards)
      rule = rule $0 "\n"
      if (!begun && !/^ *(#|$)/) { printf "%s", rule; rule = "" }
    }
    END { flush() }
  ' "$1" | { for job in $scraped; do set -- "$@" -e "s/job=\"${job%%=*}\"/job=\"${job#*=}\"/g"; done; shift; sed "$@"; }
}

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
    adapt "$file" | sed 's/^\(..*\)$/  \1/'
  done
}

case "${1:-}" in
  --print) render ;;
  --check)
    if ! diff <(render) prometheus-rules.yaml >&2; then
      echo "deploy/kubernetes/prometheus-rules.yaml is stale: deploy/kubernetes/rules.sh" >&2
      exit 1
    fi
    ;;
  '') render >prometheus-rules.yaml ;;
  *) echo "rules.sh: unknown argument \`$1\`: must be --check or --print" >&2; exit 2 ;;
esac
