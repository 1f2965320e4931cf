#!/bin/sh
# Stand-in for cAdvisor, which Debian does not package: exports four of its metrics from files of Docker and the kernel.
# Sources: DATA/containers/ID/config.v2.json for names and times; the control groups of version 1 or 2 for memory and CPU.
set -u
mkdir -p /tmp/www
echo ok >/tmp/www/healthz

# The first existing file.
first() { for file in "$@"; do [ -r "$file" ] && { echo "$file"; return; }; done; }

families() {
  echo '# TYPE container_last_seen gauge'
  echo '# TYPE container_start_time_seconds gauge'
  echo '# TYPE container_memory_working_set_bytes gauge'
  echo '# TYPE container_cpu_usage_seconds_total counter'
  now=$(date +%s)
  for config in /var/lib/docker/containers/*/config.v2.json; do
    grep -q '"Running":true' "$config" || continue
    id="${config%/*}"
    id="${id##*/}"
    name=$(sed -n 's/.*"Name":"\/\([^"]*\)".*/\1/p' "$config")
    started=$(sed -n 's/.*"StartedAt":"\([0-9-]*\)T\([0-9:]*\).*/\1 \2/p' "$config")
    labels="{id=\"/docker/$id\",name=\"$name\"}"
    echo "container_last_seen$labels $now"
    echo "container_start_time_seconds$labels $(date -u -d "$started" +%s)"
    memory=$(first "/sys/fs/cgroup/memory/docker/$id/memory.usage_in_bytes" \
      "/sys/fs/cgroup/system.slice/docker-$id.scope/memory.current" "/sys/fs/cgroup/docker/$id/memory.current")
    [ -z "$memory" ] || echo "container_memory_working_set_bytes$labels $(cat "$memory")"
    cpu=$(first "/sys/fs/cgroup/cpuacct/docker/$id/cpuacct.usage" \
      "/sys/fs/cgroup/system.slice/docker-$id.scope/cpu.stat" "/sys/fs/cgroup/docker/$id/cpu.stat")
    case "$cpu" in
      *usage) busybox awk -v labels="$labels" '{printf "container_cpu_usage_seconds_total%s %.3f\n", labels, $1 / 1e9}' "$cpu" ;;
      *stat) busybox awk -v labels="$labels" '$1 == "usage_usec" {printf "container_cpu_usage_seconds_total%s %.3f\n", labels, $2 / 1e6}' "$cpu" ;;
    esac
  done | sort
}

while :; do
  families >/tmp/www/new && mv /tmp/www/new /tmp/www/metrics
  sleep 2
done &
exec busybox httpd -f -p 8080 -h /tmp/www
