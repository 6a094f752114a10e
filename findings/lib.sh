# shellcheck shell=bash
# What the scripts share. To be sourced.

set -euo pipefail
export LC_ALL=C
work=$(mktemp -d)
# What is mounted inside the folder goes before it does.
leave() {
    umount "$work/disk" 2>/dev/null || true
    rm -rf "$work"
}
trap leave EXIT

# expect WHAT SEEN EXPECTED: prints both, and ends with 1 if they differ.
expect() {
    printf '%s: %s\n' "$1" "$2"
    [[ $2 == "$3" ]] || { printf 'changed: %s was expected\n' "$3" >&2; exit 1; }
}

# debian PACKAGE COMMAND: installs a Debian package whose command is missing, and prints its version.
debian() {
    command -v "$2" >/dev/null || { apt-get update && apt-get install --yes "$1"; } >/dev/null 2>&1
    printf '%s %s\n' "$1" "$(dpkg-query --show --showformat='${Version}' "$1")"
}

# disk TYPE: mounts a new file system of 320 MiB at $work/disk.
disk() {
    [[ $(id -u) == 0 ]] || { echo "skipped: mounting takes root" >&2; exit 0; }
    mkdir -p "$work/disk"
    truncate --size 320M "$work/image"
    "mkfs.$1" -q "$work/image" >/dev/null 2>&1
    mount -o loop "$work/image" "$work/disk"
}

# fill: takes all the space of the disk that plain writing can take.
fill() {
    # What a file system has put by for a growing file comes back with the end of the program that wrote it.
    for size in 1M 1M 64k 4k 512; do
        dd if=/dev/zero of="$work/disk/filler" bs=$size oflag=append conv=notrunc status=none 2>/dev/null || true
        sync --file-system "$work/disk" || true
    done
}

# outcome COMMAND…: "taken", or "no space" if it fails for want of space.
outcome() {
    local text
    if text=$("$@" 2>&1); then echo taken
    elif [[ $text == *"No space left"* ]]; then echo "no space"
    else echo "other: $text"; fi
}

# allocate FILE BYTES: posix_fallocate from the beginning of a file.
allocate() {
    python3 -c 'import os, sys
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
os.posix_fallocate(file, 0, int(sys.argv[2]))' "$@"
}
