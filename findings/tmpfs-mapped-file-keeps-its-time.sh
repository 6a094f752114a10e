#!/bin/bash
# On tmpfs a file that is written through a mapping grows old, and systemd-tmpfiles removes it while it is in use.
#
# mmap(2) says that the time of a file changes with a store to a shared mapping, before the msync behind it at the latest. tmpfs
# changes it with the first store to each page, and then never again: not by another store, nor by msync or fsync. ext4 and xfs
# change it with the first store after each write-back. So a log, spool or ring of fixed size that is mapped on /tmp, /run or
# /dev/shm looks untouched to make, find, rsync and backups since the process has been round it once, and what cleans up by age
# takes it away from under the process. A flock on the file does not keep it, nor one on the folder that the line of tmpfiles.d
# names; one on a folder below that does, as tmpfiles.d(5) says.
#
# Seen with Linux 6.18.44, systemd 252.39 (Debian 12):
#   ext4: a store and msync change the time: yes
#   xfs: a store and msync change the time: yes
#   tmpfs: a store and msync change the time: no
#   ext4: the file after a cleaning by age: kept
#   tmpfs: the file after a cleaning by age: removed
#   tmpfs, flock on the file: removed
#   tmpfs, flock on the folder of the line: removed
#   tmpfs, flock on a folder below: kept
source "$(dirname "$0")/lib.sh"
debian systemd systemd-tmpfiles
debian e2fsprogs mkfs.ext4
debian xfsprogs mkfs.xfs
uname -sr
[[ $(id -u) == 0 ]] || { echo "skipped: mounting takes root" >&2; exit 0; }
cat >"$work/writer.py" <<'END_OF_WRITER'
import fcntl, mmap, os, subprocess, sys, time

folder, question, *locked = sys.argv[1:]
below = f"{folder}/below"
os.makedirs(below, exist_ok=True)
path = f"{below}/mapped"
file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
os.posix_fallocate(file, 0, 4096)
pages = mmap.mmap(file, 4096)
pages[0] = 1
pages.flush()
for name in locked:
    # Held until this process ends.
    fcntl.flock(os.open({"file": path, "folder": folder, "below": below}[name], os.O_RDONLY), fcntl.LOCK_EX)
before = os.fstat(file)
time.sleep(0.1 if question == "time" else 6)
pages[0] = 2
pages.flush()
os.fsync(file)
if question == "time":
    print("no" if os.fstat(file).st_mtime_ns == before.st_mtime_ns else "yes")
else:
    with open(f"{sys.path[0]}/age.conf", "w") as settings:
        settings.write(f"d {folder} - - - 5s\n")
    subprocess.run(["systemd-tmpfiles", "--clean", settings.name], check=True)
    print("kept" if os.path.exists(path) else "removed")
# Not before: to read a file is to use it.
assert os.pread(file, 1, 0) == b"\2"
END_OF_WRITER
writer() { python3 "$work/writer.py" "$work/disk/spool" "$@"; }
disk ext4
expect "ext4: a store and msync change the time" "$(writer time)" yes
expect "ext4: the file after a cleaning by age" "$(writer clean)" kept
umount "$work/disk"
rm "$work/image"
disk xfs
expect "xfs: a store and msync change the time" "$(writer time)" yes
umount "$work/disk"
mount -t tmpfs -o size=10m findings "$work/disk"
expect "tmpfs: a store and msync change the time" "$(writer time)" no
expect "tmpfs: the file after a cleaning by age" "$(writer clean)" removed
expect "tmpfs, flock on the file" "$(writer clean file)" removed
expect "tmpfs, flock on the folder of the line" "$(writer clean folder)" removed
expect "tmpfs, flock on a folder below" "$(writer clean below)" kept
