#!/bin/bash
# SwiftPM cannot build tests without the index for editors, even if no test is an XCTest.
#
# On Linux the names of XCTests are read from the index store, and that step is part of each --build-tests, also with
# --disable-xctest and with tests of swift-testing alone, which are found in another way. With --disable-index-store the
# build compiles and links all, and then ends with "index store path does not exist". A product builds without it, in
# about three quarters of the time (GRDB 7.10, debug, two processors: 32 and 25 s), so one build folder for programs and
# tests has to have the index from the start, or compiles everything twice.
#
# Seen with Swift 6.3.1 on Linux (Debian 12).
source "$(dirname "$0")/lib.sh"
swift --version 2>&1 | head -n 1
mkdir -p "$work/package/Sources/tool" "$work/package/Tests/ToolTests"
cat >"$work/package/Package.swift" <<'END'
// swift-tools-version: 6.2
import PackageDescription
let package = Package(
    name: "package",
    targets: [.executableTarget(name: "tool"), .testTarget(name: "ToolTests", dependencies: ["tool"])]
)
END
echo 'print("tool")' >"$work/package/Sources/tool/main.swift"
cat >"$work/package/Tests/ToolTests/ToolTests.swift" <<'END'
import Testing
@Test func one() { #expect(1 + 1 == 2) }
END

# build FOLDER ARGUMENT…: builds, and says how it ended.
build() {
    local folder=$1
    shift
    if swift build --package-path "$work/package" --scratch-path "$work/$folder" "$@" >"$work/log" 2>&1; then
        echo built
    else
        grep -oE 'error: index store path does not exist' "$work/log" | head -n 1 || tail -n 3 "$work/log"
    fi
}
expect "a program without the index" "$(build first --disable-index-store --product tool)" built
expect "tests without the index" "$(build second --disable-index-store --build-tests)" \
    "error: index store path does not exist"
expect "the same without XCTest" "$(build second --disable-index-store --build-tests --disable-xctest)" \
    "error: index store path does not exist"
expect "tests with the index" "$(build third --build-tests)" built
