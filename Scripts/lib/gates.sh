# shellcheck shell=bash
# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

# What does not depend on the clock: allocations and instructions for each log. To be sourced after common.sh and
# packages.sh.

THRESHOLDS=$ROOT/Benchmarks/Thresholds.json

# run_gates check|update|self-test: builds the counting program and runs it.
run_gates() {
    local arguments=("$1")
    [[ $1 == self-test ]] || arguments+=("$THRESHOLDS")
    [[ $(uname -s) == Linux ]] || die "the gates count with callgrind and glibc, on Linux"
    require_packages liblz4-dev zlib1g-dev pkg-config valgrind
    build Benchmarks/Gates release gates
    "$BIN/gates" "${arguments[@]}"
}
