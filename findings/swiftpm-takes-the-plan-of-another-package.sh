#!/bin/bash
# SwiftPM goes on with the plan that it finds in a build folder, even if it was made for another package.
#
# Several packages can share one --scratch-path, so that what they depend on is built once. The plan that is kept there
# (debug.yaml and its description) does not say for which package it is. If another root package was built there twice,
# and has a product of the name that is asked for, this product is built by its plan, without a word;
# for any other product the build ends with "No target named … in build description". A change of the manifest, or
# --disable-build-manifest-caching, makes it plan.
#
# Seen with Swift 6.3.1 on Linux (Debian 12).
source "$(dirname "$0")/lib.sh"
swift --version 2>&1 | head -n 1
# package NAME PRODUCT…: a package whose programs print the package's name.
package() {
    local name=$1 product
    shift
    mkdir -p "$work/$name"
    {
        printf '// swift-tools-version: 6.2\nimport PackageDescription\nlet package = Package(name: "%s", targets: [\n' "$name"
        for product; do printf '    .executableTarget(name: "%s"),\n' "$product"; done
        echo '])'
    } >"$work/$name/Package.swift"
    for product; do
        mkdir -p "$work/$name/Sources/$product"
        printf 'print("%s")\n' "$name" >"$work/$name/Sources/$product/main.swift"
    done
}
package first tool
package second tool extra

# build PACKAGE ARGUMENT…: builds in the folder that both share, and prints what the program says, or the error.
build() {
    local package=$1 product=$2
    shift 2
    if swift build --package-path "$work/$package" --scratch-path "$work/shared" --product "$product" "$@" >"$work/log" 2>&1; then
        "$work/shared/debug/$product"
    else
        grep -oE 'error: No target named .* in build description' "$work/log" | head -n 1 | sed -E "s/'[^']*'/…/" || tail -n 3 "$work/log"
    fi
}
expect "tool of the first package" "$(build first tool)" first
# The first build leaves no note that the manifest was looked at; the second one does.
expect "tool of the first package, again" "$(build first tool)" first
expect "tool of the second package, by the plan that is there" "$(build second tool)" first
expect "another product of the second package" "$(build second extra)" "error: No target named … in build description"
expect "the same, planned anew" "$(build second extra --disable-build-manifest-caching)" second
