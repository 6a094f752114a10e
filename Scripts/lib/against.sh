# shellcheck shell=bash
# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

# Builds the benchmarks of two states. To be sourced after common.sh.

AGAINST=$ROOT/.build-against

# build_against COMMIT: builds those of the present tree and of a commit, and sets BUILT to what against.py needs:
# programs and gates here, the commit, programs and gates there, the last of them only if the commit has any.
build_against() {
    local product tree=$AGAINST/tree
    build Benchmarks/Gates release gates
    BUILT=("$BIN/gates")
    for product in benchmark-sink measure; do build Benchmarks release "$product"; done
    BUILT=("$BIN" "${BUILT[@]}" "$1")
    # It stays from run to run, so that what two commits have in common is built once.
    if [[ -e $tree/.git ]]; then
        git -C "$tree" checkout --quiet --force --detach "$1"
    else
        git -C "$ROOT" worktree add --quiet --force --detach "$tree" "$1"
    fi
    say "and now those of $1"
    [[ -d $tree/Benchmarks ]] || die "$1 has no benchmarks"
    build_there Benchmarks measure
    BUILT+=("$BIN")
    if [[ -d $tree/Benchmarks/Gates ]]; then
        build_there Benchmarks/Gates gates
        BUILT+=("$BIN/gates")
    fi
}

# build_there PACKAGE PRODUCT: with the versions of dependencies that the present tree has.
build_there() {
    cp "$ROOT/$1/Package.resolved" "$AGAINST/tree/$1/"
    build "${AGAINST#"$ROOT/"}/tree/$1" release "$2" --scratch-path "$AGAINST/$2"
}
