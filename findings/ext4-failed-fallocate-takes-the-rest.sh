#!/bin/bash
# ext4 keeps what a failed posix_fallocate has got so far.
#
# Asked for more than is free, ext4 answers ENOSPC, and leaves a file that has taken the whole rest of the disk: other programs
# find it full until that file is cut or removed. xfs, btrfs and tmpfs give everything back. POSIX does not say; who calls it
# has to remove the file, at once.
#
# Seen with e2fsprogs 1.47.0 (Debian 12), Linux 6.18.44:
#   64 MiB more than is free: no space
#   free after that on ext4: none
#   free after that on xfs: some
source "$(dirname "$0")/lib.sh"
debian e2fsprogs mkfs.ext4
debian xfsprogs mkfs.xfs
uname -sr
free() { df --block-size=1 --output=avail "$work/disk" | tail -n 1 | tr -d ' '; }
for type in ext4 xfs; do
    disk $type
    expect "64 MiB more than is free" \
        "$(outcome allocate "$work/disk/large" $(($(free) + (64 << 20))))" "no space"
    [[ $type == ext4 ]] && left=none || left=some
    expect "free after that on $type" "$(if (($(free) > 0)); then echo some; else echo none; fi)" $left
    umount "$work/disk"
    rm "$work/image"
done
