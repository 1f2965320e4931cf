#!/bin/sh
# Runs in the container `secrets`: writes each secret into the volume of its reader. Secrets of deploy/secrets are copied;
# the others are generated once and kept as long as the volumes.
set -eu
umask 022

# Copies, keeps or generates a secret: NAME FILE
settle() {
  if [ -s "/given/$1" ]; then
    tr -d '\r\n' <"/given/$1" >"$2.new"
  elif [ -s "$2" ]; then
    return
  else
    # 24 random bytes as 48 hexadecimal digits.
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$2.new"
  fi
  mv -f "$2.new" "$2"
}

settle admin_token /out/prometheus/admin_token
# Without one /metrics requires no token, and Prometheus sends a word that nothing checks.
metrics=""
if [ -s /given/metrics_token ]; then metrics="$(tr -d '\r\n' </given/metrics_token)"; fi
case "$metrics" in
  *[!0-9A-Za-z._~+/=-]*) echo "secrets: metrics_token contains other characters than letters, digits and ._~+/=-: use the output of \`openssl rand -hex 24\`" >&2; exit 1 ;;
esac
printf '%s' "${metrics:-none}" >/out/prometheus/metrics_token.new
mv -f /out/prometheus/metrics_token.new /out/prometheus/metrics_token
settle grafana_admin_password /out/grafana/admin_password
settle redis_password /out/redis/password
settle redis_gateway_password /out/redis/gateway_password
settle redis_exporter_password /out/redis/exporter_password
gateway="$(cat /out/redis/gateway_password)"
exporter="$(cat /out/redis/exporter_password)"
# They are in a URL, in a list of words and in JSON.
case "$(cat /out/redis/password)$gateway$exporter" in
  *[!0-9A-Za-z_-]*) echo "secrets: a redis_ password contains other characters than letters, digits, _ and -" >&2; exit 1 ;;
esac
sed -e '/^#/d' -e "s/ADMIN_PASSWORD/$(cat /out/redis/password)/" -e "s/GATEWAY_PASSWORD/$gateway/" \
  -e "s/EXPORTER_PASSWORD/$exporter/" /users.acl >/out/redis/users.acl.new
mv -f /out/redis/users.acl.new /out/redis/users.acl
# Versions of the exporter differ in whether the user is part of the key.
printf '{"redis://redis:6379":"%s","redis://exporter@redis:6379":"%s"}\n' "$exporter" "$exporter" \
  >/out/redis-exporter/exporter.json.new
mv -f /out/redis-exporter/exporter.json.new /out/redis-exporter/exporter.json
# A Redis elsewhere, such as rediss://USER:PASSWORD@HOST:6379 of a managed service.
redis_url="redis://gateway:$gateway@redis:6379"
if [ -s /given/redis_url ]; then redis_url="$(tr -d '\r\n' </given/redis_url)"; fi
# Replaced, not rewritten: the files are read-only, and this root lacks the capability to override that.
{
  printf "ADMIN_TOKEN=%s\nREDIS_URL='%s'\n" "$(cat /out/prometheus/admin_token)" "$redis_url"
  [ -z "$metrics" ] || printf 'METRICS_TOKEN=%s\n' "$metrics"
} >/out/api/.env.new
mv -f /out/api/.env.new /out/api/.env
# Only the reader, which is not root, mounts each volume.
chmod 0444 /out/prometheus/* /out/grafana/admin_password /out/api/.env /out/redis/* /out/redis-exporter/*
echo "secrets: written"
