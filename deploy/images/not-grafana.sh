#!/bin/sh
# Stand-in for Grafana, which Debian does not package: checks that Grafana's files exist and are readable, and serves the
# dashboard files. It draws no dashboards and states that.
set -eu
for needed in /etc/grafana/provisioning/datasources/datasources.yml /etc/grafana/provisioning/dashboards/dashboards.yml \
  "$GF_SECURITY_ADMIN_PASSWORD__FILE" "$GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"; do
  [ -s "$needed" ] || { echo "not-grafana: cannot read $needed" >&2; exit 1; }
done
echo kept >/var/lib/grafana/written
mkdir -p /tmp/www/api /tmp/www/dashboards
echo '{"database":"ok","stand_in":true}' >/tmp/www/api/health
{
  echo '<!doctype html><title>Not Grafana</title><p>This is a stand-in without Grafana, for machines without an image registry.'
  echo 'Dashboard files:</p><ul>'
  for file in /etc/grafana/dashboards/*.json; do
    name="${file##*/}"
    cat "$file" >"/tmp/www/dashboards/$name"
    echo "<li><a href=\"/dashboards/$name\">$name</a></li>"
  done
  echo '</ul>'
} >/tmp/www/index.html
echo "not-grafana: serving $(ls /tmp/www/dashboards | grep -c json) dashboard files on port 3000"
exec busybox httpd -f -p 3000 -h /tmp/www
