# shellcheck shell=bash
# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

# Installs Debian packages. To be sourced after common.sh.

# require_packages NAME…: installs those that are missing, and does nothing if none is.
#
# A package that is called like its command counts as installed if there is the command.
require_packages() {
    local absent=() name
    for name in "$@"; do
        is_installed "$name" || absent+=("$name")
    done
    ((${#absent[@]} > 0)) || return 0
    command -v apt-get >/dev/null || die "please install these, or what your system calls them: ${absent[*]}"
    say "installing ${absent[*]}"
    # The package lists of a fresh machine are missing or outdated.
    apt_get install "${absent[@]}" >/dev/null 2>&1 || {
        apt_get update >/dev/null
        apt_get install "${absent[@]}" >/dev/null
    } || die "cannot install ${absent[*]}"
}

is_installed() {
    command -v "$1" >/dev/null && return
    if command -v dpkg-query >/dev/null; then
        [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
    else
        # No Debian. Its libraries are known to pkg-config, under their names without "-dev" or so.
        case $1 in
            liblz4-dev) pkg-config --exists liblz4 ;;
            zlib1g-dev) pkg-config --exists zlib ;;
            libsqlite3-dev) pkg-config --exists sqlite3 ;;
            *) false ;;
        esac 2>/dev/null
    fi
}

apt_get() {
    local as_root=()
    if [[ $(id -u) != 0 ]]; then
        command -v sudo >/dev/null || die "installing packages takes root or sudo"
        as_root=(sudo)
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes \
        apt-get --quiet --yes --no-install-recommends "$@"
}
