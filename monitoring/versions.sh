#!/usr/bin/env bash
# Checks the shipped files with other versions of Prometheus and Alertmanager than those of `make setup`: those of
# Debian's releases SUITE… (default: trixie testing), unpacked into target/versions; nothing is installed.
#
#   monitoring/versions.sh [--drill] [SUITE…]
#
# --drill also proves an alert of each severity on a stack with each suite's programs, which needs a release build, and holds
# the bounds of drills against them: the shapes and the model, of which query offsets need Prometheus 2.53.
# About 80 MB are downloaded for a suite.
set -euo pipefail
cd "$(dirname "$0")/.."
drill=''
if [ "${1:-}" = --drill ]; then
  drill=yes
  shift
fi
[ $# -gt 0 ] || set -- trixie testing
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || {
  echo "versions: apt-get and dpkg-deb are needed to download Debian's packages" >&2
  exit 1
}
# The machine's own mirror serves the other releases too.
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m1 '/debian/$' || true)}
keys=${DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
stack=${BIN:-target/release}
[ -f "$keys" ] || {
  echo "versions: $keys is missing; install debian-archive-keyring, or set DEBIAN_KEYRING to another keyring" >&2
  exit 1
}
[ -n "$mirror" ] || {
  echo "versions: apt-get has no Debian mirror configured; set DEBIAN_MIRROR" >&2
  exit 1
}

# fetch SUITE: its programs, as target/versions/SUITE/bin/{prometheus,promtool,alertmanager,amtool}
fetch() {
  local suite=$1 at="$PWD/target/versions/$1" binary
  rm -rf "$at"
  mkdir -p "$at/apt/lists/partial" "$at/apt/cache/archives/partial" "$at/apt/parts" "$at/root" "$at/bin"
  : >"$at/apt/status"
  echo "deb [signed-by=$keys] $mirror $suite main" >"$at/apt/sources.list"
  apt() {
    timeout 300 apt-get -qq -o Dir::Etc::SourceList="$at/apt/sources.list" -o Dir::Etc::SourceParts="$at/apt/parts" \
      -o Dir::State::Lists="$at/apt/lists" -o Dir::State::status="$at/apt/status" -o Dir::Cache="$at/apt/cache" \
      -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 -o Acquire::Retries=3 -o Acquire::Languages=none \
      -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
  }
  apt update
  # Since Debian 13 promtool has a separate package.
  (cd "$at/apt" && apt download prometheus prometheus-alertmanager && { apt download promtool 2>/dev/null || true; })
  for deb in "$at"/apt/*.deb; do dpkg-deb -x "$deb" "$at/root"; done
  rm -rf "$at/apt"
  # They read pages and templates from an absolute path; setup.sh explains the relative path.
  for binary in prometheus prometheus-alertmanager; do
    LC_ALL=C sed -i 's#/usr/share/prometheus/#usr/share/prometheus//#g' "$at/root/usr/bin/$binary"
  done
  for binary in prometheus prometheus-alertmanager; do
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nroot=$(cd "$(dirname "$0")/../root" && pwd) && cd "$root" && exec "$root/usr/bin/%s" "$@"\n' "$binary" \
      >"$at/bin/${binary#prometheus-}"
    chmod +x "$at/bin/${binary#prometheus-}"
  done
  ln -s ../root/usr/bin/promtool ../root/usr/bin/amtool "$at/bin/"
}

version() { "$@" --version 2>&1 | awk 'NR == 1 {print $3}'; }

# check NAME COMMAND…: the command's success as a word; its output only when it fails
failed=''
check() {
  local what=$1 log=target/versions/check.log
  shift
  if "$@" >"$log" 2>&1; then
    printf '  %-44s ok\n' "$what"
  else
    printf '  %-44s FAILED\n' "$what"
    tail -n 12 "$log"
    failed=yes
  fi
}

for suite in "$@"; do
  fetch "$suite" || {
    echo "versions: the packages of $suite could not be downloaded" >&2
    exit 1
  }
  bin="$PWD/target/versions/$suite/bin"
  echo "$suite: Prometheus $(version "$bin/promtool"), Alertmanager $(version "$bin/amtool")"
  check 'promtool check config prometheus.yml' "$bin/promtool" check config --syntax-only monitoring/prometheus.yml
  check 'promtool check rules' "$bin/promtool" check rules monitoring/alert_rules/*.yml
  check 'promtool test rules' "$bin/promtool" test rules monitoring/rule_tests/*.yml
  check 'amtool check-config alertmanager.yml' "$bin/amtool" check-config monitoring/alertmanager.yml
  if [ -n "$drill" ]; then
    check 'two drills on its Prometheus and Alertmanager' env PATH="$bin:$PATH" "$stack/stack" run --scale 20 -- \
      "$stack/loadgen" drill monitoring/drills/high-error-rate.yaml monitoring/drills/api-down.yaml
    check 'healthy and broken shapes of rules and routes' env PATH="$bin:$PATH" cargo test -q --locked -p stack --test shapes chains_are
    check 'the model of the bounds' env PATH="$bin:$PATH" cargo test -q --locked -p stack --test model
  fi
done
[ -z "$failed" ]
