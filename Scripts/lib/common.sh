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
# One build folder for all packages that need SwiftNIO, so that it is built once.
SHARED=$ROOT/.build-shared

# say TEXT…: tells how it goes.
say() {
    printf '%s: %s\n' "$NAME" "$*"
}

# die TEXT…: gives up.
die() {
    printf '%s: %s\n' "$NAME" "$*" >&2
    exit 1
}

# swift_build ARGUMENT…: SwiftPM hands traits to the compiler in the order of a set, which is by chance, and compiles
# anew when the order is another. And it goes on with the plan that it finds in a build folder, even if that was made for
# another package: where that changes, it has to plan anew (findings/swiftpm-takes-the-plan-of-another-package.sh).
swift_build() {
    local arguments=("$@") package=$ROOT folder='' configuration=debug traits='' index plan
    for ((index = 0; index < $#; index++)); do
        case ${arguments[index]} in
            --package-path) package=${arguments[index + 1]} ;;
            --scratch-path) folder=${arguments[index + 1]} ;;
            --configuration | -c) configuration=${arguments[index + 1]} ;;
            --traits) traits=${arguments[index + 1]} ;;
            --enable-all-traits | --disable-default-traits) traits=${arguments[index]} ;;
        esac
    done
    if [[ $folder == "$SHARED" ]]; then
        plan="$(realpath "$package"), $configuration, $traits, ${WEBTRACKING_TESTS:-}"
        [[ $plan == "$(cat "$SHARED/plan" 2>/dev/null)" ]] || arguments+=(--disable-build-manifest-caching)
        mkdir -p "$SHARED"
        printf '%s\n' "$plan" >"$SHARED/plan"
    fi
    # The index for editors takes a quarter of the time of a debug build, and only the search for tests reads it. A folder
    # that has one keeps it: without it, all of the folder would be compiled anew.
    if [[ " $* " != *' --build-tests '* && ! -d ${folder:-$package/.build}/debug/index ]]; then
        arguments+=(--disable-index-store)
        # A program that is only to run is built from whole modules and without what a debugger reads, which takes another
        # quarter less. Several threads, so that SwiftPM finds an object for each file.
        [[ $configuration != debug ]] || arguments+=(
            -debug-info-format none -Xswiftc -whole-module-optimization -Xswiftc -num-threads -Xswiftc 2
        )
    fi
    SWIFT_DETERMINISTIC_HASHING=1 swift build "${arguments[@]}"
}

# build DIRECTORY CONFIGURATION PRODUCT [ARGUMENT…]: builds, says every ten seconds how far it is, and sets BIN to the
# folder of the product.
build() {
    local arguments=(--package-path "$ROOT/$1" --configuration "$2" --product "$3" "${@:4}") log pid step last='' second
    say "building $3 ($2); the first time this takes some minutes"
    log=$(mktemp)
    swift_build "${arguments[@]}" >"$log" 2>&1 &
    pid=$!
    for ((second = 1; ; second++)); do
        sleep 1
        kill -0 "$pid" 2>/dev/null || break
        ((second % 10 == 0)) || continue
        # SwiftPM says "[12/345] Compiling …", and before that what it fetches. The compiler remarks on whole modules.
        step=$(sed '/^remark:/d' "$log" | tail -n 1 | cut -c 1-100)
        [[ $step == "$last" ]] || say "  $step"
        last=$step
    done
    if ! wait "$pid"; then
        tail -n 60 "$log" >&2
        rm -f "$log"
        die "$3 does not build"
    fi
    rm -f "$log"
    BIN=$(swift_build "${arguments[@]}" --show-bin-path)
}
