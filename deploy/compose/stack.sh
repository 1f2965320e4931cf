#!/usr/bin/env bash
# Implements `make up`, `down` and `status`: the stack in containers if a Docker engine is running, else local processes.
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
  # The stand-ins of `make images-local`, if they were built.
  if [ -f target/images/env ] && [ ! -f .env ]; then command+=(--env-file target/images/env); fi
  "${command[@]}" "$@"
}
engine() {
  timeout 10 docker info >/dev/null 2>&1 &&
    { docker compose version >/dev/null 2>&1 || docker-compose version >/dev/null 2>&1; }
}

case "${STACK:-auto}" in
  docker) engine || { echo "STACK=docker: no Docker engine with Compose is running; use STACK=native for local processes" >&2; exit 1; }
    way=docker ;;
  native) way=native ;;
  auto) if engine; then way=docker; else way=native; fi ;;
  *) echo "invalid STACK=$STACK: must be auto, docker or native" >&2; exit 2 ;;
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
    # Docker would create a missing folder as root, and treat a bare name as a volume.
    if [ -n "${PROOFS_DIR:-}" ]; then mkdir -p "$PROOFS_DIR" && PROOFS_DIR="$(cd "$PROOFS_DIR" && pwd)" && export PROOFS_DIR; fi
    compose --profile monitoring up -d
    echo "The API is http://127.0.0.1:${API_PORT:-8000}, Grafana http://127.0.0.1:${GRAFANA_PORT:-3000} (\`make password\`)"
    ;;
  'docker down')
    compose --profile monitoring --profile load down --remove-orphans
    # Without STACK the stack may run either way.
    if [ "${STACK:-auto}" = auto ] && [ -x "$binary" ]; then "$binary" down --port-offset "$offset"; fi
    ;;
  'docker status') compose --profile monitoring ps ;;
  'native up') "$binary" up --detach --port-offset "$offset" ;;
  'native down')
    if [ -x "$binary" ]; then "$binary" down --port-offset "$offset"; else echo "no stack is running: nothing is built"; fi
    ;;
  'native status') "$binary" status --port-offset "$offset" ;;
  *) echo "stack.sh: unknown verb \`$verb\`: must be up, down, status or which" >&2; exit 2 ;;
esac
