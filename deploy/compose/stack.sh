#!/usr/bin/env bash
# What `make up`, `down` and `status` do: the stack in containers where a Docker engine answers, local processes otherwise.
#
#   STACK=auto|docker|native OFFSET=0 stack.sh up|down|status|which STACK_BINARY
set -euo pipefail
cd "$(dirname "$0")/../.."
verb="${1:?usage: stack.sh up|down|status|which STACK_BINARY}"
binary="${2:-}"
offset="${OFFSET:-0}"

compose() {
  local command=(docker compose)
  docker compose version >/dev/null 2>&1 || command=(docker-compose)
  # The stand-ins of `make images-local`, where they were made.
  if [ -f target/images/env ] && [ ! -f .env ]; then command+=(--env-file target/images/env); fi
  "${command[@]}" "$@"
}
engine() {
  timeout 10 docker info >/dev/null 2>&1 &&
    { docker compose version >/dev/null 2>&1 || docker-compose version >/dev/null 2>&1; }
}

case "${STACK:-auto}" in
  docker) engine || { echo "STACK=docker: no Docker engine with Compose answers; STACK=native runs local processes" >&2; exit 1; }
    way=docker ;;
  native) way=native ;;
  auto) if engine; then way=docker; else way=native; fi ;;
  *) echo "STACK=$STACK: expected auto, docker or native" >&2; exit 2 ;;
esac

if [ "$offset" != 0 ]; then
  export COMPOSE_PROJECT_NAME="firedrill-$offset"
  while IFS='=' read -r name port; do
    case "$name" in *_PORT) export "$name=$((port + offset))" ;; esac
  done <.env.example
fi
export COMPOSE_PROJECT_NAME="${COMPOSE_PROJECT_NAME:-firedrill}"

case "$way $verb" in
  *' which') echo "$way" ;;
  'docker up')
    # Of a folder that is missing Docker would make one of root's, and of a bare name a volume.
    mkdir -p "${PROOFS_DIR:-target/proofs}"
    if [ -n "${PROOFS_DIR:-}" ]; then PROOFS_DIR="$(cd "$PROOFS_DIR" && pwd)" && export PROOFS_DIR; fi
    compose --profile monitoring up -d
    echo "The API is http://127.0.0.1:${API_PORT:-8000}, Grafana http://127.0.0.1:${GRAFANA_PORT:-3000} (\`make password\`)"
    ;;
  'docker down')
    compose --profile monitoring --profile load down --remove-orphans
    # Whoever does not say which way may have gone either.
    if [ "${STACK:-auto}" = auto ] && [ -x "$binary" ]; then "$binary" down --port-offset "$offset"; fi
    ;;
  'docker status') compose --profile monitoring ps ;;
  'native up') "$binary" up --detach --port-offset "$offset" ;;
  'native down')
    if [ -x "$binary" ]; then "$binary" down --port-offset "$offset"; else echo "nothing is built, so nothing runs"; fi
    ;;
  'native status') "$binary" status --port-offset "$offset" ;;
  *) echo "stack.sh: \`$verb\` is none of up, down, status, which" >&2; exit 2 ;;
esac
