// swift-tools-version: 6.2

import PackageDescription

// What does not depend on the clock: allocations and instructions for each log. A package of its own, so that it builds
// in a minute, without the HTTP clients that the other benchmarks need.
let package = Package(
    name: "gates",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "CCounting", targets: ["CCounting"]),
        .library(name: "ReferenceRecords", targets: ["ReferenceRecords"]),
        .executable(name: "gates", targets: ["gates"]),
    ],
    dependencies: [
        // Named, because the path's last component is whatever the checkout is called.
        .package(name: "swift-log-webtracking", path: "../..", traits: ["SwiftLog"]),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
    ],
    targets: [
        .target(name: "CCounting"),
        .target(
            name: "ReferenceRecords",
            dependencies: [
                .product(name: "Logging", package: "swift-log"),
                .product(name: "WebTracking", package: "swift-log-webtracking"),
            ]
        ),
        .executableTarget(
            name: "gates",
            dependencies: [
                "CCounting",
                "ReferenceRecords",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "WebTracking", package: "swift-log-webtracking"),
            ],
            // Valgrind gives up on debug information that is newer than itself.
            linkerSettings: [.unsafeFlags(["-Xlinker", "--strip-debug"], .when(platforms: [.linux]))]
        ),
    ]
)

for target in package.targets where target.type != .system && !target.name.hasPrefix("C") {
    var settings = target.swiftSettings ?? []
    settings.append(.enableUpcomingFeature("ExistentialAny"))
    settings.append(.enableUpcomingFeature("MemberImportVisibility"))
    settings.append(.enableUpcomingFeature("InternalImportsByDefault"))
    settings.append(.enableUpcomingFeature("NonisolatedNonsendingByDefault"))
    settings.append(.treatAllWarnings(as: .error))
    target.swiftSettings = settings
}
