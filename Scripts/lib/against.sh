# shellcheck shell=bash
# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

# Builds the benchmarks of two states. To be sourced after common.sh.

AGAINST=$ROOT/.build-against
# It calls what is not public.
TESTABLE=(-Xswiftc -enable-testing)

# build_against COMMIT: builds those of the present tree and of a commit, and sets BUILT to what against.py needs: programs,
# appends and gates here, the commit, programs, appends and gates there, the last of them only if the commit has any.
build_against() {
    local product tree=$AGAINST/tree
    build Benchmarks/Appends release appends "${TESTABLE[@]}"
    BUILT=("$BIN")
    build Benchmarks/Gates release gates
    BUILT+=("$BIN/gates")
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
    build_appends_there
    BUILT+=("$BIN")
    if [[ -d $tree/Benchmarks/Gates ]]; then
        build_there Benchmarks/Gates gates
        BUILT+=("$BIN/gates")
    fi
}

# build_appends_there: these sources, not the commit's: what is measured with them has to be the same in both. They compile
# against be75a81, which has no such benchmark. BIN has no program if they do not compile against another one.
build_appends_there() {
    rm -rf "$AGAINST/tree/Benchmarks/Appends"
    # What is a link in this tree is a copy in that one.
    cp -rL "$ROOT/Benchmarks/Appends" "$AGAINST/tree/Benchmarks/"
    rm -rf "$AGAINST/tree/Benchmarks/Appends/.build"
    (build_there Benchmarks/Appends appends "${TESTABLE[@]}") || say "going on without the bare appends of that commit"
    BIN=$AGAINST/appends/release
}

# build_there PACKAGE PRODUCT [ARGUMENT…]: with the versions of dependencies that the present tree has.
build_there() {
    cp "$ROOT/$1/Package.resolved" "$AGAINST/tree/$1/"
    build "${AGAINST#"$ROOT/"}/tree/$1" release "$2" --scratch-path "$AGAINST/$2" "${@:3}"
}
