#!/usr/bin/env bash
# Builds stand-ins for every image of docker-compose.yml from the distribution's packages and the binaries of this checkout,
# for machines without an image registry. Writes target/images/env with their names:
#
#   docker compose --env-file target/images/env --profile monitoring up -d
#
#   build.sh API_BINARY LOADGEN_BINARY
#
# TAG, default local, is the tag of our images; the stand-ins have TAG-stand-in. Another TAG writes target/images/env-TAG.
# Debian does not package Grafana and cAdvisor. The stand-in for Grafana serves the dashboard files and states that it is
# not Grafana. The stand-in for cAdvisor reads the same files and exports the four metrics that rules and dashboards use.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=deploy/images
work="$PWD/target/images"
api="$(realpath "${1:?usage: build.sh API_BINARY LOADGEN_BINARY}")"
loadgen="$(realpath "${2:?usage: build.sh API_BINARY LOADGEN_BINARY}")"
tag="${TAG:-local}"
log="$work/build.log"
mkdir -p "$work"
: >"$log"

failed() {
  echo "images-local: $1; last lines of $log:" >&2
  tail -n 8 "$log" >&2
  exit 1
}
docker info >>"$log" 2>&1 || failed "no Docker engine is running"
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || failed "apt-get and dpkg-deb are required (Debian or Ubuntu)"

# An empty list of installed packages, so that images contain only the listed packages.
apt() {
  timeout 300 apt-get -q -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o Dir::State::status="$work/none" \
    -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 -o Acquire::Retries=3 "$@" 2>>"$log"
}
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs"
: >"$work/none"
[ -n "$(ls "$work/lists" | grep -v partial)" ] || apt update >>"$log" || failed "cannot read the package lists"

# The programs and their libraries, without package management programs.
fetch() {
  local root="$1" wanted deb
  shift
  wanted=$(apt -s --no-install-recommends install "$@" | awk '$1 == "Inst" {print $2}' |
    grep -Ev '^(perl|lib.*perl|perl-.*|dpkg|tar|passwd|adduser|debconf|libpam.*|usrmerge|init-.*|sysvinit.*|lsb-base|gcc-.*-base|lib(db|gdbm|audit|sem|sepol).*|javascript-common|tzdata)$')
  # shellcheck disable=SC2086
  (cd "$work/debs" && apt download $wanted >>"$log") || failed "cannot download a package"
  rm -rf "$root"
  mkdir -p "$root/etc" "$root/tmp"
  for package in $wanted; do
    for deb in "$work/debs/$package"_*.deb; do
      dpkg-deb -x "$deb" "$root" 2>>"$log" || failed "cannot unpack $package"
    done
  done
  rm -rf "$root/usr/share/doc" "$root/usr/share/man" "$root/usr/share/locale" "$root/usr/lib/x86_64-linux-gnu/gconv" \
    "$root/usr/share/lintian" "$root/etc/init.d" "$root/etc/default"
  chmod 1777 "$root/tmp"
}

# The gateway and the load generator only need the C library.
fetch "$work/runtime" libc6 libgcc-s1
printf 'nonroot:x:65532:65532::/:/sbin/nologin\n' >"$work/runtime/etc/passwd"
tar -C "$work/runtime" -c --owner=0 --group=0 . | docker import - "firedrill/runtime:$tag" >>"$log" || failed "cannot create the runtime image"
for program in api loadgen; do
  binary="${!program}"
  strip -o "$work/$program" "$binary" 2>>"$log" || cp "$binary" "$work/$program"
  DOCKER_BUILDKIT=0 docker build --target prebuilt --build-arg RUNTIME_IMAGE="firedrill/runtime:$tag" \
    -t "firedrill/$program:$tag" -f "$program/Dockerfile" . >>"$log" 2>&1 || failed "cannot build the image of $program"
done

# All other programs share one image; each stand-in starts another program.
fetch "$work/tools" redis-server redis-tools prometheus prometheus-alertmanager prometheus-redis-exporter \
  prometheus-node-exporter haproxy busybox-static
mkdir -p "$work/tools"/{bin,prometheus,alertmanager,data,var/lib/grafana,srv}
for applet in sh cat chmod date grep head ln ls mkdir mv od printf sed sleep sort tr wget; do
  ln -sf busybox "$work/tools/bin/$applet"
done
ln -sf ../sbin/haproxy "$work/tools/usr/bin/haproxy"
ln -sf prometheus-node-exporter "$work/tools/usr/bin/node_exporter"
cp "$here/container-metrics.sh" "$here/not-grafana.sh" "$work/tools/srv/"
# The owners of the original images, which volumes inherit.
tar -C "$work/tools" -c --owner=0 --group=0 --exclude=./prometheus --exclude=./alertmanager --exclude=./var/lib/grafana . \
  >"$work/tools.tar"
tar -C "$work/tools" -r --owner=65534 --group=65534 -f "$work/tools.tar" ./prometheus ./alertmanager
tar -C "$work/tools" -r --owner=472 --group=0 -f "$work/tools.tar" ./var/lib/grafana
docker import "$work/tools.tar" "firedrill/tools:$tag" >>"$log" || failed "cannot create the image of the packages"
stand_in() {
  printf 'FROM firedrill/tools:%s\nENV PATH=/usr/bin:/bin\nENTRYPOINT %s\n' "$tag" "$2" |
    DOCKER_BUILDKIT=0 docker build -t "firedrill/$1:$tag-stand-in" - >>"$log" 2>&1 || failed "cannot build the stand-in for $1"
}
stand_in redis '[]'
stand_in haproxy '[]'
stand_in redis-exporter '["/usr/bin/prometheus-redis-exporter"]'
stand_in prometheus '["/usr/bin/prometheus"]'
stand_in alertmanager '["/usr/bin/prometheus-alertmanager"]'
stand_in node-exporter '["/usr/bin/prometheus-node-exporter"]'
stand_in cadvisor '["/bin/sh", "/srv/container-metrics.sh"]'
stand_in grafana '["/bin/sh", "/srv/not-grafana.sh"]'
rm -f "$work/tools.tar"

env="$work/env"
[ "$tag" = local ] || env="$work/env-$tag"
cat >"$env" <<ENV
API_IMAGE=firedrill/api:$tag
LOADGEN_IMAGE=firedrill/loadgen:$tag
REDIS_IMAGE=firedrill/redis:$tag-stand-in
REDIS_EXPORTER_IMAGE=firedrill/redis-exporter:$tag-stand-in
PROMETHEUS_IMAGE=firedrill/prometheus:$tag-stand-in
ALERTMANAGER_IMAGE=firedrill/alertmanager:$tag-stand-in
GRAFANA_IMAGE=firedrill/grafana:$tag-stand-in
NODE_EXPORTER_IMAGE=firedrill/node-exporter:$tag-stand-in
HAPROXY_IMAGE=firedrill/haproxy:$tag-stand-in
CADVISOR_IMAGE=firedrill/cadvisor:$tag-stand-in
DOCKER_DATA=$(docker info -f '{{.DockerRootDir}}')
ENV
echo "images-local: done; docker compose --env-file ${env#"$PWD/"} --profile monitoring up -d"
