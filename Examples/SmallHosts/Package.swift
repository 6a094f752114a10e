// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "small-hosts",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "line-count", targets: ["LineCount"]),
        .executable(name: "event-function", targets: ["EventFunction"]),
        .executable(name: "nightly-report", targets: ["NightlyReport"]),
    ],
    dependencies: [
        // One trait: with URLSession there is no swift-nio to build, so that a small program stays one.
        // In a package of your own: .package(url: "…/swift-log-webtracking.git", from: "…", traits: ["SwiftLog"]).
        .package(name: "swift-log-webtracking", path: "../..", traits: ["SwiftLog"]),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        // These two run the programs in the tests.
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.0", traits: []),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.5.0"),
    ],
    targets: [
        .target(
            name: "LogDestination",
            dependencies: [
                .product(name: "WebTracking", package: "swift-log-webtracking"),
                .product(name: "WebTrackingURLSession", package: "swift-log-webtracking"),
            ]
        ),
        .executableTarget(
            name: "LineCount",
            dependencies: [
                "LogDestination",
                .product(name: "WebTracking", package: "swift-log-webtracking"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .executableTarget(
            name: "EventFunction",
            dependencies: [
                "LogDestination",
                .product(name: "WebTracking", package: "swift-log-webtracking"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .executableTarget(
            name: "NightlyReport",
            dependencies: [
                "LogDestination",
                .product(name: "WebTracking", package: "swift-log-webtracking"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "SmallHostsTests",
            dependencies: [
                // Built because they are run.
                "LineCount", "EventFunction", "NightlyReport",
                .product(name: "WebTrackingTestKit", package: "swift-log-webtracking"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
    ]
)

for target in package.targets where [.executable, .test, .regular].contains(target.type) {
    var settings = target.swiftSettings ?? []
    settings.append(.enableUpcomingFeature("ExistentialAny"))
    settings.append(.enableUpcomingFeature("MemberImportVisibility"))
    settings.append(.enableUpcomingFeature("InternalImportsByDefault"))
    settings.append(.enableUpcomingFeature("NonisolatedNonsendingByDefault"))
    settings.append(.treatAllWarnings(as: .error))
    target.swiftSettings = settings
}
