#!/bin/sh
# Runs in the container `secrets`: puts each secret where its reader has a volume. What deploy/secrets gives is taken; the
# rest is drawn once and kept as long as the volumes are.
set -eu
umask 022

# given, or kept, or drawn: NAME FILE
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
# Replaced, not rewritten: they are read-only, and this root may not pass over that.
printf 'ADMIN_TOKEN=%s\n' "$(cat /out/prometheus/admin_token)" >/out/api/.env.new
mv -f /out/api/.env.new /out/api/.env
# Each volume is mounted by its reader alone, who is not root.
chmod 0444 /out/prometheus/admin_token /out/grafana/admin_password /out/api/.env
echo "secrets: in place"
