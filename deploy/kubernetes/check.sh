#!/usr/bin/env bash
# Validates the manifests, or the given files, against the schemas of Kubernetes and the Prometheus operator from npm.
#
# Exits 0 if all are valid, and also, with a line that begins "skipped:", without Node.js or a package registry. The packages
# are installed under target/.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work="$here/../../target/manifest-schemas"
# Says that this is not checked; `make test` collects these lines and repeats them at its end.
skip() {
  echo "skipped: $1"
  [ -z "${SKIPPED:-}" ] || echo "SKIPPED: $1" >>"$SKIPPED"
  exit 0
}

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  skip "validating the manifests needs node and npm (Debian: npm)"
fi
mkdir -p "$work"
if ! cmp -s "$here/schema/package-lock.json" "$work/installed.json"; then
  cp "$here/schema/package.json" "$here/schema/package-lock.json" "$work/"
  if ! (cd "$work" && timeout 180 npm ci --silent --no-audit --no-fund --ignore-scripts >npm.log 2>&1); then
    skip "cannot install the schemas for validating the manifests; is a package registry reachable?"
  fi
  cp "$here/schema/package-lock.json" "$work/installed.json"
fi
[ $# -gt 0 ] || set -- "$here"/*.yaml
cp "$here/schema/check.mjs" "$work/"
node "$work/check.mjs" "$@"
