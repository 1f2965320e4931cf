#!/usr/bin/env bash
# Installs the external programs of the stack: Redis, the exporters, Prometheus, Alertmanager; and those of the tests:
# PostgreSQL, HAProxy, nginx with its exporter, VictoriaMetrics with vmalert, and libfaketime.
#
# Programs on the PATH are used as they are. The others are downloaded as packages of the distribution and unpacked in
# target/tools. This needs no root, and no service of the machine is installed, enabled or started. It does nothing if all
# programs are available.
set -euo pipefail # with pipefail, a reader that exits early or one missing path of several fails the pipe
cd "$(dirname "$0")/../.."
tools="$PWD/target/tools"

# program | name in Debian | Debian package
programs='redis-server|redis-server|redis-server
redis-cli|redis-cli|redis-tools
redis-benchmark|redis-benchmark|redis-tools
redis_exporter|prometheus-redis-exporter|prometheus-redis-exporter
node_exporter|prometheus-node-exporter|prometheus-node-exporter
prometheus|prometheus|prometheus
promtool|promtool|prometheus
alertmanager|prometheus-alertmanager|prometheus-alertmanager
amtool|amtool|prometheus-alertmanager
postgres|postgres|postgresql
initdb|initdb|postgresql
haproxy|haproxy|haproxy
nginx|nginx|nginx
nginx_exporter|prometheus-nginx-exporter|prometheus-nginx-exporter
victoria-metrics|victoria-metrics|victoria-metrics
vmalert|vmalert|victoria-metrics'

# Debian has PostgreSQL's programs in a folder per version, which is not on the PATH.
here() { command -v "$1" >/dev/null || ls /usr/lib/postgresql/*/bin/"$1" >/dev/null 2>&1; }

# Preloaded by tests that need different clocks; stored in lib, next to bin.
clock='libfaketime.so.1'
clock_here() {
  for library in /usr/lib/*/faketime/"$clock" /usr/local/lib/faketime/"$clock" "$tools/lib/$clock"; do
    [ ! -f "$library" ] || return 0
  done
  return 1
}

missing=''
packages=''
while IFS='|' read -r program debian package; do
  here "$program" || here "$debian" || [ -x "$tools/bin/$program" ] || {
    missing="$missing $program"
    case " $packages " in *" $package "*) ;; *) packages="$packages $package" ;; esac
  }
done <<<"$programs"
clock_here || {
  missing="$missing $clock"
  packages="$packages libfaketime"
}

if [ -z "$missing" ]; then
  echo "setup: all external programs are available"
  exit 0
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
  cat >&2 <<TXT
setup: these programs are missing:$missing
  and this is not a Debian or Ubuntu machine, so they cannot be brought automatically. Install them so that
  they are on the PATH, then run 'make setup' again:
    redis-server, redis-cli, redis-benchmark
                               https://redis.io/docs/latest/operate/oss_and_stack/install/
    redis_exporter             https://github.com/oliver006/redis_exporter/releases
    node_exporter              https://prometheus.io/download/
    prometheus, promtool       https://prometheus.io/download/
    alertmanager, amtool       https://prometheus.io/download/
    postgres, initdb           https://www.postgresql.org/download/
    haproxy                    https://www.haproxy.org/#down
    nginx                      https://nginx.org/en/download.html
    nginx_exporter             https://github.com/nginx/nginx-prometheus-exporter/releases
    victoria-metrics, vmalert  https://github.com/VictoriaMetrics/VictoriaMetrics/releases
    libfaketime.so.1           https://github.com/wolfcw/libfaketime
TXT
  exit 1
fi

echo "setup: installing$missing from packages of the distribution into target/tools"
mkdir -p "$tools/apt/lists/partial" "$tools/apt/cache/archives/partial" "$tools/root" "$tools/bin"
log="$tools/setup.log"
: >"$log"

apt() {
  timeout 300 apt-get -q -o Dir::State::Lists="$tools/apt/lists" -o Dir::Cache="$tools/apt/cache" \
    -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 -o Acquire::Retries=3 "$@" 2>>"$log"
}
failed() {
  echo "setup: $1; last lines of $log:" >&2
  tail -n 8 "$log" >&2
  exit 1
}

lists() { apt-cache -o Dir::State::Lists="$tools/apt/lists" -o Dir::Cache="$tools/apt/cache" "$@" 2>>"$log"; }

apt update >>"$log" || failed "cannot read the package lists"
# `postgresql` is an empty package that depends on the one with this release's server.
case " $packages " in *' postgresql '*)
  server=$(lists depends postgresql | awk '$1 == "Depends:" && $2 ~ /^postgresql-[0-9]+$/ && !found++ {print $2}')
  [ -n "$server" ] || failed "no package with a PostgreSQL server found"
  packages="${packages/ postgresql/ $server}"
  ;;
esac
# The simulation lists the missing packages, including libraries, and installs nothing.
# shellcheck disable=SC2086
wanted=$(apt -s --no-install-recommends install $packages | awk '$1 == "Inst" {print $2}') ||
  failed "no package for$missing found"
# The web pages of Prometheus need their scripts in the unpacked tree, even if they are installed on the machine.
pages=''
case " $packages " in *' prometheus '*)
  pages=$(lists depends prometheus |
    awk '$1 == "Depends:" && $2 ~ /^(libjs|fonts)-/ {print $2}') ;;
esac
# shellcheck disable=SC2086
wanted=$(printf '%s\n' $packages $wanted $pages | sort -u)
# shellcheck disable=SC2086
(cd "$tools/apt" && apt download $wanted >>"$log") || failed "cannot download a package"
for deb in "$tools"/apt/*.deb; do
  dpkg-deb -x "$deb" "$tools/root" 2>>"$log" || failed "cannot unpack $(basename "$deb")"
done
rm -rf "$tools/apt"

# A starter for each program sets the path of the unpacked libraries and executes the program (exec keeps the pid). Paths
# are relative to the starter, so that a checkout can be moved.
libraries=$(cd "$tools/root" && find . -name '*.so*' -printf '%h\n' | sort -u | sed 's|^\.|$root|' | paste -sd: -)
while IFS='|' read -r program debian package; do
  case " $missing " in *" $program "*) ;; *) continue ;; esac
  binary=$(cd "$tools/root" && find . -path "*bin/$debian" -print -quit)
  [ -n "$binary" ] || failed "package $package does not contain $debian"
  # Debian's Prometheus and Alertmanager read pages and templates from an absolute path, which does not exist if they are
  # only unpacked. So it is replaced by a relative path of the same length, and they start in the unpacked tree.
  enter=''
  case "$program" in prometheus | alertmanager)
    LC_ALL=C sed -i 's#/usr/share/prometheus/#usr/share/prometheus//#g' "$tools/root/$binary"
    enter='cd "$root" || exit 127'
    ;;
  esac
  cat >"$tools/bin/$program.new" <<STARTER
#!/bin/sh
root=\$(cd "\$(dirname "\$0")/../root" && pwd) || exit 127
$enter
LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" exec "\$root${binary#.}" "\$@"
STARTER
  chmod +x "$tools/bin/$program.new"
  mv "$tools/bin/$program.new" "$tools/bin/$program"
  version=--version
  case "$program" in haproxy | nginx) version=-v ;; esac # they have no long options
  "$tools/bin/$program" "$version" >>"$log" 2>&1 || failed "$program does not run here"
done <<<"$programs"
case " $missing " in *" $clock "*)
  library=$(cd "$tools/root" && find . -path "*/faketime/$clock" -print -quit)
  [ -n "$library" ] || failed "package libfaketime does not contain $clock"
  mkdir -p "$tools/lib"
  cp "$tools/root/$library" "$tools/lib/$clock.new"
  mv "$tools/lib/$clock.new" "$tools/lib/$clock"
  ;;
esac
echo "setup: done"
