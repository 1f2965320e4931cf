#!/usr/bin/env bash
# Takes the pictures of README.md and docs/reference/dashboards.md anew, from real data: drills on a stack of its own, their report and the panels of the API
# dashboard. Needs node, a headless Chromium (CHROMIUM, default chromium) and what `make setup build` brings.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin="${BIN:-target/release}"
work=target/pictures
chromium="${CHROMIUM:-chromium}"

if [ "${1:-}" != inside ]; then
  mkdir -p "$work"
  exec "$bin/stack" run --scale 10 -- "$0" inside
fi
# Something besides the two drills' own requests, so that there is more than one line in a panel; little, as it thins their
# share of errors out.
(while :; do
  curl -s -o /dev/null "$TARGET_URL/slow?delay=30ms:80,150ms:20" || true
  curl -s -o /dev/null -X POST "$TARGET_URL/api/users?name=Ada&email=ada$RANDOM$RANDOM@example.com" || true
  sleep 1
done) &
other=$!
trap 'kill "$other" 2>/dev/null || true' EXIT
"$bin/loadgen" drill --html "$work/report.html" monitoring/drills/rate-limit-hits.yaml monitoring/drills/high-error-rate.yaml &
drill=$!
# While the second one has its errors going.
sleep 125
node docs/pictures/panels.mjs "$PROMETHEUS_URL" grafana/dashboards/firedrill-api.json 2 >"$work/panels.html"
wait "$drill"
shoot() {
  "$chromium" --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 --window-size="$3" \
    --screenshot="docs/pictures/$2" "file://$PWD/$work/$1" 2>/dev/null
}
shoot panels.html dashboard.png 1200,1140
# The paths in it begin at the repository.
sed "s#$PWD/##g; s#target/stack/run-[0-9]*/##g" "$work/report.html" >"$work/report-relative.html"
shoot report-relative.html drill-report.png 1100,1040
ls -l docs/pictures/*.png
