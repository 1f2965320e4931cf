#!/bin/sh
# Starts the node exporter with the host's figures. /proc/net and /proc/self/mounts belong to whoever reads them, so in a
# container they show the container. /procfs has a link to each entry of /proc, except that the network and the mounts are
# those of the host's first process, which /host/proc shows.
set -eu
for entry in /proc/[a-z]*; do
  case "$entry" in */net | */self | */thread-self | */mounts) ;; *) ln -s "$entry" /procfs/ ;; esac
done
ln -s /host/proc/1/net /procfs/net
ln -s /host/proc/1 /procfs/1
ln -s /host/proc/1 /procfs/self
exec node_exporter "$@"
