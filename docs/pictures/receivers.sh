#!/usr/bin/env bash
# Renders the pictures of docs/reference/receivers.md: what each receiver was sent in a real drill of CriticalErrorRate, drawn by
# receivers.html. Needs node, a Chromium (CHROMIUM, default chromium), the output of `make setup build`, and pngquant for small
# pictures. In the bodies only the drill's ports are changed, to the usual ones.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin="${BIN:-target/release}"
work=target/pictures

if [ "${1:-}" != inside ]; then
  mkdir -p "$work"
  exec "$bin/stack" run --scale 20 -- "$0" inside
fi
"$bin/loadgen" drill monitoring/drills/critical-error-rate.yaml
{
  echo 'const alertname = "CriticalErrorRate"; const notifications = ('
  curl -sf "$INBOX_URL/notifications" | sed "s#${INBOX_URL#http://}#127.0.0.1:8025#g; s#${ALERTMANAGER_URL#http://}#127.0.0.1:9093#g; s#${PROMETHEUS_URL#http://}#127.0.0.1:9090#g"
  echo ').notifications;'
} >"$work/notifications.js"
# shoot NAME URL WIDTH [HEIGHT [SCRIPT]]
shoot() {
  node docs/pictures/shoot.mjs "docs/pictures/$1.png" "${@:2}"
  ! command -v pngquant >/dev/null || pngquant --force --skip-if-larger --ext .png 64 "docs/pictures/$1.png" || [ $? = 98 ]
}
page="file://$PWD/docs/pictures/receivers.html"
shoot receiver-slack "$page?slack" 640
shoot receiver-discord "$page?discord" 640
shoot receiver-pagerduty "$page?pagerduty" 700
shoot receiver-email "$page?email" 640
shoot receiver-webhook "$page?webhook" 800
shoot inbox "$INBOX_URL/" 400 700 'document.querySelector("#filter").value = "CriticalErrorRate"; redraw()'
ls -l docs/pictures/receiver-*.png docs/pictures/inbox.png
