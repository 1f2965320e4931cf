#!/usr/bin/env bash
# Type-checks the dashboards, or the given files, against the types that Grafana publishes as @grafana/schema.
#
# Exits 0 if all fit, and also, with a line that begins "skipped:", without Node.js or a package registry. The packages
# are installed under target/.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work="$(cd "$here/../.." && pwd)/target/dashboard-types"
# Says that this is not checked; `make test` collects these lines and repeats them at its end.
skip() {
  echo "skipped: $1"
  [ -z "${SKIPPED:-}" ] || echo "SKIPPED: $1" >>"$SKIPPED"
  exit 0
}

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  skip "type-checking the dashboards needs node and npm (Debian: npm)"
fi
mkdir -p "$work"
if ! cmp -s "$here/package-lock.json" "$work/installed.json"; then
  cp "$here/package.json" "$here/package-lock.json" "$work/"
  if ! (cd "$work" && timeout 180 npm ci --silent --no-audit --no-fund --ignore-scripts >npm.log 2>&1); then
    skip "type-checking the dashboards cannot install @grafana/schema; is a package registry reachable?"
  fi
  cp "$here/package-lock.json" "$work/installed.json"
fi

# An inline literal, because only there TypeScript rejects unknown fields.
rm -rf "$work/src"
mkdir -p "$work/src"
cp "$here/tsconfig.json" "$work/"
cp "$here/shapes.ts" "$work/src/"
[ $# -gt 0 ] || set -- "$here"/../dashboards/*.json
for file in "$@"; do
  {
    echo "import type { Provisioned } from './shapes';"
    echo "export const dashboard: Provisioned ="
    cat "$file"
  } >"$work/src/$(basename "$file" .json).ts"
done
cd "$work"
node node_modules/typescript/bin/tsc --project tsconfig.json
echo "dashboards: $# of $# fit the types of @grafana/schema $(node -p 'require("./node_modules/@grafana/schema/package.json").version')"
