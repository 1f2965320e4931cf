#!/usr/bin/env bash
# Validates the manifests, or the files given instead, against the schemas of Kubernetes and of the Prometheus operator as npm
# has them.
#
# Exits 0 when all fit, or with a line that begins "skipped:" where there is no Node.js or no package registry. The packages live
# under target/.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work="$here/../../target/manifest-schemas"

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "skipped: validating the manifests needs node and npm (Debian: npm)"
  exit 0
fi
mkdir -p "$work"
if ! cmp -s "$here/schema/package-lock.json" "$work/installed.json"; then
  cp "$here/schema/package.json" "$here/schema/package-lock.json" "$work/"
  if ! (cd "$work" && timeout 180 npm ci --silent --no-audit --no-fund --ignore-scripts >npm.log 2>&1); then
    echo "skipped: validating the manifests could not install their schemas; is there a package registry to be reached?"
    exit 0
  fi
  cp "$here/schema/package-lock.json" "$work/installed.json"
fi
[ $# -gt 0 ] || set -- "$here"/*.yaml
cp "$here/schema/check.mjs" "$work/"
node "$work/check.mjs" "$@"
