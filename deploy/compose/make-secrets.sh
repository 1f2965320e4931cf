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
settle grafana_admin_password /out/grafana/admin_password
# Replaced, not rewritten: the files are read-only, and this root lacks the capability to override that.
printf 'ADMIN_TOKEN=%s\n' "$(cat /out/prometheus/admin_token)" >/out/api/.env.new
mv -f /out/api/.env.new /out/api/.env
# Only the reader, which is not root, mounts each volume.
chmod 0444 /out/prometheus/admin_token /out/grafana/admin_password /out/api/.env
echo "secrets: written"
