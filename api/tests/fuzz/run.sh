#!/usr/bin/env bash
# Runs schemathesis with /openapi.json, to find responses that the description does not declare.
#
#   run.sh API_BINARY
#
# Creates a Python environment under target/ the first time, and runs a gateway on a free port with its own database.
# EXAMPLES and SEED can be set. Exits 0 if nothing was found, and also, with a line that begins "skipped:", without Python.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../../.." && pwd)"
api="$(realpath "${1:?usage: run.sh API_BINARY}")"
venv="$root/target/fuzz-venv"
# Says that this is not checked; `make test` collects these lines and repeats them at its end.
skip() {
  echo "skipped: $1"
  [ -z "${SKIPPED:-}" ] || echo "SKIPPED: $1" >>"$SKIPPED"
  exit 0
}

if ! python3 -c 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10)' 2>/dev/null; then
  skip "make fuzz-api needs python3, 3.10 or later, with venv and pip (Debian: python3-venv)"
fi
if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
  echo "fuzz-api: setting up schemathesis in target/fuzz-venv"
  rm -rf "$venv"
  python3 -m venv "$venv"
  if ! timeout 180 "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"; then
    skip "make fuzz-api cannot install schemathesis; is a package index reachable?"
  fi
  cp "$here/requirements.txt" "$venv/requirements.txt"
fi

work="$(mktemp -d)"
log="$(dirname "$venv")/fuzz-api.log"
pid=''
finish() {
  [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  [ -z "$pid" ] || wait "$pid" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

cat >"$work/limits.toml" <<'TOML'
[[policy]]
name = "default"
limit = "1000000/s"
burst = 1000000
TOML
cd "$work"
env -i PATH="$PATH" "$api" --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --database-url sqlite://fuzz.db \
  --rate-limits-file limits.toml --log-format json --drain-delay 0s >api.log 2>&1 &
pid=$!

address=''
for _ in $(seq 200); do
  address="$(sed -n '/"message":"listening"/{s/.*"address":"\([^"]*\)".*/\1/p;q}' api.log)"
  [ -z "$address" ] || break
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
if [ -z "$address" ]; then
  echo "fuzz-api: the gateway did not start:" >&2
  tail -n 5 api.log >&2
  exit 1
fi

status=0
timeout --kill-after=5 300 "$venv/bin/schemathesis" --config-file "$here/schemathesis.toml" \
  run "http://$address/openapi.json" --max-examples "${EXAMPLES:-20}" --seed "${SEED:-1}" --no-color >"$log" 2>&1 || status=$?
if [ "$status" -eq 0 ]; then
  echo "fuzz-api: no failure in $(sed -n 's/^ *\([0-9]*\) generated.*/\1/p' "$log") cases; report: $log"
else
  cat "$log"
fi
if ! kill -0 "$pid" 2>/dev/null; then
  echo "fuzz-api: the gateway crashed" >&2
  status=1
fi
exit "$status"
