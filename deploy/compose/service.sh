#!/usr/bin/env bash
# `docker compose VERB NAME` that waits until it is done: a started service is healthy when it returns. `docker compose start`
# returns at once, and a drill would count the start-up time of the service as part of the alert.
#
#   loadgen drill --control deploy/compose/service.sh monitoring/drills/api-down.yaml
#   service.sh [COMPOSE OPTION...] VERB NAME
set -euo pipefail
[ $# -ge 2 ] || { echo "service.sh: expected a verb such as stop or start, and a service" >&2; exit 2; }
options=("${@:1:$#-2}")
verb="${*: -2:1}"
name="${*: -1}"

command=(docker compose)
docker compose version >/dev/null 2>&1 || command=(docker-compose)
"${command[@]}" ${options[@]+"${options[@]}"} "$verb" "$name"

case "$verb" in start | restart | unpause) ;; *) exit 0 ;; esac
container=$("${command[@]}" ${options[@]+"${options[@]}"} ps -q "$name")
for _ in $(seq 240); do
  state=$(docker inspect --format '{{if .State.Health}}{{.State.Health.Status}}{{else}}healthy{{end}}' "$container")
  [ "$state" != healthy ] || exit 0
  sleep 0.25
done
echo "service.sh: $name is $state a minute after its start; see docker compose logs $name" >&2
exit 1
