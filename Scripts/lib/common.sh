# shellcheck shell=bash
# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

# What all scripts share. To be sourced, after `set -euo pipefail`.

# Sorting and numbers are the same everywhere.
export LC_ALL=C
# The checkout, whatever its folder is called.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# The script's name, in front of what it says.
NAME=$(basename "$0")

# say TEXT…: tells how it goes.
say() {
    printf '%s: %s\n' "$NAME" "$*"
}

# die TEXT…: gives up.
die() {
    printf '%s: %s\n' "$NAME" "$*" >&2
    exit 1
}

# build DIRECTORY CONFIGURATION PRODUCT [ARGUMENT…]: builds, says every ten seconds how far it is, and sets BIN to the
# folder of the product.
build() {
    local arguments=(--package-path "$ROOT/$1" --configuration "$2" --product "$3" "${@:4}") log pid step last='' second
    say "building $3 ($2); the first time this takes some minutes"
    log=$(mktemp)
    swift build "${arguments[@]}" >"$log" 2>&1 &
    pid=$!
    for ((second = 1; ; second++)); do
        sleep 1
        kill -0 "$pid" 2>/dev/null || break
        ((second % 10 == 0)) || continue
        # SwiftPM says "[12/345] Compiling …", and before that what it fetches.
        step=$(tail -n 1 "$log" | cut -c 1-100)
        [[ $step == "$last" ]] || say "  $step"
        last=$step
    done
    if ! wait "$pid"; then
        tail -n 60 "$log" >&2
        rm -f "$log"
        die "$3 does not build"
    fi
    rm -f "$log"
    BIN=$(swift build "${arguments[@]}" --show-bin-path)
}
