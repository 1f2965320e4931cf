#!/usr/bin/env bash
# Renders the pictures of README.md and docs/reference/dashboards.md from real data: drills on a separate stack, their report and the panels of the API
# dashboard. Needs node, a headless Chromium (CHROMIUM, default chromium) and the output of `make setup build`.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin="${BIN:-target/release}"
work=target/pictures
chromium="${CHROMIUM:-chromium}"

if [ "${1:-}" != inside ]; then
  mkdir -p "$work"
  exec "$bin/stack" run --scale 10 -- "$0" inside
fi
# Requests besides those of the two drills, so that a panel has more than one line; only a few, because they lower the
# share of errors.
(while :; do
  curl -s -o /dev/null "$TARGET_URL/slow?delay=30ms:80,150ms:20" || true
  curl -s -o /dev/null -X POST "$TARGET_URL/api/users?name=Ada&email=ada$RANDOM$RANDOM@example.com" || true
  sleep 1
done) &
other=$!
trap 'kill "$other" 2>/dev/null || true' EXIT
"$bin/loadgen" drill --html "$work/report.html" monitoring/drills/rate-limit-hits.yaml monitoring/drills/high-error-rate.yaml &
drill=$!
# While the second drill causes its errors.
sleep 125
node docs/pictures/panels.mjs "$PROMETHEUS_URL" grafana/dashboards/firedrill-api.json 2 >"$work/panels.html"
wait "$drill"
shoot() {
  "$chromium" --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 --window-size="$3" \
    --screenshot="docs/pictures/$2" "file://$PWD/$work/$1" 2>/dev/null
}
shoot panels.html dashboard.png 1200,1140
# Its paths are relative to the repository.
sed "s#$PWD/##g; s#target/stack/run-[0-9]*/##g" "$work/report.html" >"$work/report-relative.html"
shoot report-relative.html drill-report.png 1100,1040
ls -l docs/pictures/*.png
