# shellcheck shell=bash
# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

# Compiles the interfaces of the libraries. To be sourced after common.sh and packages.sh.

# find_build: unless it is given, makes a debug build with all traits, and sets `build` to its folder.
find_build() {
    local log
    [[ -z $build ]] || return 0
    require_packages liblz4-dev zlib1g-dev pkg-config
    say "building with all traits; the first time this takes some minutes"
    log=$(mktemp)
    if ! swift_build --enable-all-traits --scratch-path "$SHARED" --target WebTracking >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        rm -f "$log"
        die "the package does not build"
    fi
    rm -f "$log"
    build=$(swift_build --enable-all-traits --scratch-path "$SHARED" --show-bin-path)
}

# compile_interfaces BUILD SOURCES MODULES [SYMBOLS]: see modules.py.
compile_interfaces() {
    rm -rf "$3" ${4:+"$4"}
    python3 "$ROOT/Scripts/lib/modules.py" --build "$1" --sources "$2" --output "$3" ${4:+--symbols "$4"}
}
