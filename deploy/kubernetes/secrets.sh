#!/usr/bin/env bash
# Prints the Secrets and the ConfigMap that the manifests need, with newly generated passwords:
#
#   DATABASE_URL='postgres://USER:PASSWORD@HOST:5432/firedrill?sslmode=verify-full' TRUSTED_PROXIES=10.244.0.0/16 \
#     deploy/kubernetes/secrets.sh | kubectl apply -f -
#
# TRUSTED_PROXIES lists the addresses from which the ingress controller connects, usually the network of the pods. Without
# it every client would have the address of the ingress, and share one rate limit. 127.0.0.1 if there is no proxy in front.
# REDIS_URL replaces the Redis of the manifests, such as rediss://USER:PASSWORD@HOST:6379 of a managed service.
# Running it again changes all passwords; restart both deployments then.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
for name in DATABASE_URL TRUSTED_PROXIES; do
  [ -n "${!name:-}" ] || { echo "secrets.sh: $name is not set; the head of this file explains it" >&2; exit 2; }
done
case "$DATABASE_URL" in
  *[\'$'\n']*) echo "secrets.sh: DATABASE_URL contains a quote or a line break: percent-encode it" >&2; exit 2 ;;
esac
case "${REDIS_URL:-}" in
  *[\'$'\n']*) echo "secrets.sh: REDIS_URL contains a quote or a line break: percent-encode it" >&2; exit 2 ;;
esac
case "$TRUSTED_PROXIES" in
  *[!0-9A-Fa-f.:/,\ ]*) echo "secrets.sh: TRUSTED_PROXIES must be addresses and networks, comma-separated, such as 10.244.0.0/16" >&2; exit 2 ;;
esac

password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
admin="$(password)" gateway="$(password)" exporter="$(password)" token="$(password)" metrics="$(password)"

cat <<MANIFEST
# The gateway reads .env, and Prometheus the tokens.
apiVersion: v1
kind: Secret
metadata: {name: api, namespace: firedrill}
stringData:
  ADMIN_TOKEN: "$token"
  METRICS_TOKEN: "$metrics"
  .env: |
    ADMIN_TOKEN=$token
    METRICS_TOKEN=$metrics
    REDIS_URL='${REDIS_URL:-redis://gateway:$gateway@redis:6379}'
    DATABASE_URL='$DATABASE_URL'
---
apiVersion: v1
kind: Secret
metadata: {name: redis, namespace: firedrill}
stringData:
  password: "$admin"
  users.acl: |
$(sed -e '/^#/d' -e "s/ADMIN_PASSWORD/$admin/" -e "s/GATEWAY_PASSWORD/$gateway/" -e "s/EXPORTER_PASSWORD/$exporter/" -e 's/^/    /' "$here/../redis/users.acl")
---
apiVersion: v1
kind: Secret
metadata: {name: redis-exporter, namespace: firedrill}
stringData:
  exporter.json: '{"redis://127.0.0.1:6379":"$exporter","redis://exporter@127.0.0.1:6379":"$exporter"}'
---
apiVersion: v1
kind: ConfigMap
metadata: {name: api, namespace: firedrill}
data:
  TRUSTED_PROXIES: "$TRUSTED_PROXIES"
MANIFEST
