# shellcheck shell=bash
# Builds programs with swift-configuration alone. To be sourced after lib.sh.

# program SOURCE: builds it, in the version that the findings are about, and sets $probe.
program() {
    mkdir -p "$work/probe/Sources/probe"
    cat >"$work/probe/Package.swift" <<'END'
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "probe",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(
            url: "https://github.com/apple/swift-configuration.git", exact: "1.4.0", traits: ["JSON", "Reloading"]),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.5.0"),
    ],
    targets: [
        .executableTarget(
            name: "probe",
            dependencies: [
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "SystemPackage", package: "swift-system"),
            ])
    ]
)
END
    printf 'import Configuration\nimport SystemPackage\n%s' "$1" >"$work/probe/Sources/probe/main.swift"
    swift build --package-path "$work/probe" >"$work/build.log" 2>&1 || { tail -n 30 "$work/build.log" >&2; exit 1; }
    probe=$(swift build --package-path "$work/probe" --show-bin-path)/probe
    printf 'swift-configuration 1.4.0, %s\n' "$(swift --version 2>/dev/null | grep -o 'Swift version [0-9.]*')"
}
