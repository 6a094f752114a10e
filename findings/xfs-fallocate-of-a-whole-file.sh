#!/bin/bash
# xfs asks for free space before it looks whether a file needs any.
#
# On a full xfs, posix_fallocate over a file that was written whole, and has all its blocks, fails with ENOSPC; so does one
# over a preallocated file. Writing over the same bytes works. ext4 and tmpfs say yes to the same call. A program that
# "makes sure of the space" of files that it finds (as one that maps them does) cannot read its own files on a full xfs.
#
# Seen with xfsprogs 6.1.0 (Debian 12), Linux 6.18.44:
#   a whole file, 1 MiB, disk full, allocated again: no space
#   the same bytes written over: taken
source "$(dirname "$0")/lib.sh"
debian xfsprogs mkfs.xfs
uname -sr
disk xfs
dd if=/dev/urandom of="$work/disk/whole" bs=1M count=1 conv=fsync status=none
fill
expect "a whole file, 1 MiB, disk full, allocated again" \
    "$(outcome allocate "$work/disk/whole" $((1 << 20)))" "no space"
expect "the same bytes written over" \
    "$(outcome dd if=/dev/urandom of="$work/disk/whole" bs=1M count=1 conv=notrunc,fsync status=none)" "taken"
