#!/bin/bash
# On btrfs posix_fallocate promises nothing about bytes that were written before.
#
# posix_fallocate over a written file says yes on a full btrfs, and writing over the same bytes fails then for want of space:
# each write of a file with copy-on-write needs new blocks, those that it has do not count. What is preallocated and not yet
# written is safe once. A program that has mapped the file learns of it by a signal at a plain store. With the attribute C (no
# copy-on-write), given to the folder before the file is made, writing over works.
#
# Seen with btrfs-progs 6.2 (Debian 12), Linux 6.18.44:
#   a whole file, disk full, allocated again: taken
#   the same bytes written over: no space
#   a whole file without copy-on-write, written over: taken
source "$(dirname "$0")/lib.sh"
debian btrfs-progs mkfs.btrfs
debian e2fsprogs chattr
uname -sr
disk btrfs
mkdir "$work/disk/in-place"
chattr +C "$work/disk/in-place"
for file in whole in-place/whole; do
    dd if=/dev/urandom of="$work/disk/$file" bs=1M count=1 conv=fsync status=none
done
fill
expect "a whole file, disk full, allocated again" \
    "$(outcome allocate "$work/disk/whole" $((1 << 20)))" "taken"
over() { outcome dd if=/dev/urandom of="$work/disk/$1" bs=1M count=1 conv=notrunc,fsync status=none; }
expect "the same bytes written over" "$(over whole)" "no space"
expect "a whole file without copy-on-write, written over" "$(over in-place/whole)" "taken"
