#!/bin/bash
# `fallocate --posix` of util-linux 2.38 ends with 0 and says nothing when there is no space.
#
# posix_fallocate returns its error as a positive number; the command looks for a negative one. Without --posix the same wish is
# an error. A script that makes sure of space in this way goes on with a file that has none.
#
# Seen with util-linux 2.38.1 (Debian 12), 100 MiB wanted of a tmpfs of 10 MiB:
#   fallocate --posix: exit 0, 0 bytes
#   fallocate: exit 1
source "$(dirname "$0")/lib.sh"
[[ $(id -u) == 0 ]] || { echo "skipped: mounting takes root" >&2; exit 0; }
printf 'util-linux %s\n' "$(dpkg-query --show --showformat='${Version}' util-linux)"
mkdir "$work/disk"
mount -t tmpfs -o size=10m findings "$work/disk"
status=0
fallocate --posix --length 100M "$work/disk/posix" || status=$?
expect "fallocate --posix" "exit $status, $(stat --format %s "$work/disk/posix") bytes" "exit 0, 0 bytes"
status=0
fallocate --length 100M "$work/disk/plain" 2>/dev/null || status=$?
expect "fallocate" "exit $status" "exit 1"
