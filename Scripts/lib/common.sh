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

# build DIRECTORY CONFIGURATION PRODUCT [ARGUMENT…]: builds, quietly unless it fails, and sets BIN to the folder of the
# product.
build() {
    local arguments=(--package-path "$ROOT/$1" --configuration "$2" --product "$3" "${@:4}") log
    say "building $3 ($2); the first time this takes some minutes"
    log=$(mktemp)
    if ! swift build "${arguments[@]}" >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        rm -f "$log"
        die "$3 does not build"
    fi
    rm -f "$log"
    BIN=$(swift build "${arguments[@]}" --show-bin-path)
}
