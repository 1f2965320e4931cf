#!/usr/bin/env bash
# Writes prometheus-rules.yaml: monitoring/alert_rules/*.yml as the Prometheus operator takes them, one object a file. The rules
# are taken over line by line, so that there is one source of them; `rules.sh --check` fails when the file is stale, `--print`
# shows what would be written.
#
# A rule that asks for a job which no manifest here scrapes is left out: it would fire for ever, or never. Settings, all empty:
#
#   JOBS="alertmanager=alertmanager-main prometheus=prometheus-k8s node=node-exporter"
#                    further jobs that the cluster's Prometheus scrapes, as the rules call them and as it does
#   RUNBOOKS=https://…     in front of /ALERTNAME in the links to runbooks, instead of http://127.0.0.1:8025/runbooks
#   DASHBOARDS=https://…   in front of /d/UID in the links to dashboards, instead of http://127.0.0.1:3000
set -euo pipefail
cd "$(dirname "$0")"
rules=../../monitoring/alert_rules

# NAME=NAME IN THE CLUSTER, of everything that is scraped.
scraped=$(sed -n 's/.*{targetLabel: job, replacement: \([a-z-]*\)}.*/\1=\1/p' service-monitors.yaml)
for job in ${JOBS:-}; do
  case "$job" in
    ?*=?*) scraped="$scraped $job" ;;
    *) echo "rules.sh: JOBS: \`$job\`: expected NAME=NAME_IN_THE_CLUSTER, such as node=node-exporter" >&2; exit 2 ;;
  esac
done

# A rule begins with what is said about it and ends where the next one begins.
adapt() {
  awk -v scraped="$(echo $scraped)" -v runbooks="${RUNBOOKS:-}" -v dashboards="${DASHBOARDS:-}" '
    BEGIN {
      gsub(/&/, "\\\\&", runbooks); gsub(/&/, "\\\\&", dashboards)
      count = split(scraped, pairs, " ")
      for (i = 1; i <= count; i++) { split(pairs[i], pair, "="); name[pair[1]] = pair[2] }
      # What has no alert of its own for being down.
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
    # One target among several: the others are left.
    match($0, /^ *or absent\(up\{job="[^"]*"\}\)$/) {
      job = $0; gsub(/^[^"]*"|"[^"]*$/, "", job)
      if (!(job in name)) next
    }
    {
      # A cluster has targets of many more, who look after their own.
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
  *) echo "rules.sh: \`$1\` is none of --check, --print" >&2; exit 2 ;;
esac
