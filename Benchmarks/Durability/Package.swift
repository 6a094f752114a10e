// swift-tools-version: 6.2

import PackageDescription

// What durability costs and how fast a spool is delivered. A package of its own, so that it builds in a minute, without
// the HTTP clients that other benchmarks need.
let package = Package(
    name: "durability",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-log-webtracking", path: "../..", traits: ["SwiftLog"]),
        .package(path: "../Gates"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
    ],
    targets: [
        .executableTarget(
            name: "durability",
            dependencies: [
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ReferenceRecords", package: "Gates"),
                .product(name: "WebTracking", package: "swift-log-webtracking"),
            ],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .treatAllWarnings(as: .error),
            ]
        )
    ]
)
