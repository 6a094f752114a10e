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
            libzstd-dev) pkg-config --exists libzstd ;;
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

# debian_version PACKAGE: the version of an installed package's software, without what Debian puts around it.
debian_version() {
    dpkg-query --show --showformat='${Version}' "$1" | sed 's/^[0-9]*://; s/-[^-]*$//; s/[+~].*//'
}

# debian_source PACKAGE DIRECTORY: unpacks the source of an installed package, in its version, into a new directory. The
# package lists of the machine stay as they are.
debian_source() {
    local package=$1 directory=$2 work source options file
    source=$(dpkg-query --show --showformat='${source:Package}=${source:Version}' "$package")
    work=$(mktemp -d)
    mkdir "$work/parts" "$work/lists"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        case $file in
            *.list) [[ ! -e $file ]] || sed -n 's/^deb /deb-src /p' "$file" >"$work/parts/$(basename "$file")" ;;
            *.sources) sed 's/^Types:.*/Types: deb-src/' "$file" >"$work/parts/$(basename "$file")" ;;
        esac
    done
    options=(--quiet --option Dir::Etc::SourceList=/dev/null --option "Dir::Etc::SourceParts=$work/parts"
        --option "Dir::State::Lists=$work/lists" --option "Dir::Cache=$work" --option "APT::Sandbox::User=$(id -un)")
    say "fetching the source of $source"
    # Of what is not needed, some may be missing.
    apt-get "${options[@]}" update >"$work/log" 2>&1 || true
    (cd "$work" && apt-get "${options[@]}" --download-only source "$source") >>"$work/log" 2>&1 &&
        dpkg-source --no-check --extract "$work"/*.dsc "$directory" >>"$work/log" 2>&1 || {
        cat "$work/log" >&2
        die "cannot fetch the source of $source"
    }
    rm -rf "$work"
}
