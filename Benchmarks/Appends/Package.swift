// swift-tools-version: 6.2

import PackageDescription

// Appends without what is around them in a log call, which takes more than the library's public interface: build it with
// `-Xswiftc -enable-testing`. A package of its own, so that it builds in a minute, and against earlier states of the library:
// Scripts/benchmark --against copies it into their trees.
let package = Package(
    name: "appends",
    platforms: [.macOS(.v15)],
    dependencies: [
        // Named, because the path's last component is whatever the checkout is called.
        .package(name: "swift-log-webtracking", path: "../..", traits: ["SwiftLog"]),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
    ],
    targets: [
        // A link to that of the gates; in another tree a copy of it, so that both log the same.
        .target(
            name: "ReferenceRecords",
            dependencies: [
                .product(name: "Logging", package: "swift-log"),
                .product(name: "WebTracking", package: "swift-log-webtracking"),
            ]
        ),
        .executableTarget(
            name: "appends",
            dependencies: [
                "ReferenceRecords",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "WebTracking", package: "swift-log-webtracking"),
            ]
        ),
    ]
)

for target in package.targets {
    var settings = target.swiftSettings ?? []
    settings.append(.enableUpcomingFeature("ExistentialAny"))
    settings.append(.enableUpcomingFeature("MemberImportVisibility"))
    settings.append(.enableUpcomingFeature("InternalImportsByDefault"))
    settings.append(.enableUpcomingFeature("NonisolatedNonsendingByDefault"))
    settings.append(.treatAllWarnings(as: .error))
    target.swiftSettings = settings
}
