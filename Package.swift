// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "swift-log-webtracking",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "WebTracking", targets: ["WebTracking"]),
        // A product of its own, so that only those who choose URLSession link Foundation.
        .library(name: "WebTrackingURLSession", targets: ["WebTrackingURLSession"]),
        .library(name: "WebTrackingTestKit", targets: ["WebTrackingTestKit"]),
    ],
    traits: [
        .trait(name: "SwiftLog", description: "WebTrackingLogHandler is a swift-log LogHandler"),
        .trait(name: "AsyncHTTPClient", description: "Sends through AsyncHTTPClient"),
        .trait(name: "ServiceLifecycle", description: "WebTrackingProducer is a ServiceLifecycle Service"),
        .trait(name: "Metrics", description: "Reports the producer's counters through swift-metrics"),
        .trait(name: "Configuration", description: "Reads WebTrackingConfiguration from swift-configuration"),
        .trait(name: "SignedPutLogs", description: "Sends through PutLogs, signed with an AccessKey"),
        .default(enabledTraits: ["SwiftLog", "AsyncHTTPClient", "ServiceLifecycle", "Metrics"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        // No traits: the JSON provider would pull in Foundation.
        .package(url: "https://github.com/apple/swift-configuration.git", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
    ],
    targets: [
        .systemLibrary(
            name: "CLZ4",
            pkgConfig: "liblz4",
            providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]
        ),
        .systemLibrary(
            name: "CZlib",
            pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]
        ),
        // The C library under one name; no product.
        .target(name: "WebTrackingPlatform"),
        .target(
            name: "WebTracking",
            dependencies: [
                "CLZ4",
                "CZlib",
                "WebTrackingPlatform",
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["SwiftLog"])),
                .product(
                    name: "AsyncHTTPClient",
                    package: "async-http-client",
                    condition: .when(traits: ["AsyncHTTPClient"])
                ),
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["AsyncHTTPClient"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["AsyncHTTPClient"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["AsyncHTTPClient"])),
                .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["AsyncHTTPClient"])),
                .product(
                    name: "ServiceLifecycle",
                    package: "swift-service-lifecycle",
                    condition: .when(traits: ["ServiceLifecycle"])
                ),
                .product(name: "Metrics", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
                .product(
                    name: "Configuration",
                    package: "swift-configuration",
                    condition: .when(traits: ["Configuration"])
                ),
                .product(name: "Crypto", package: "swift-crypto", condition: .when(traits: ["SignedPutLogs"])),
            ]
        ),
        .target(name: "WebTrackingURLSession", dependencies: ["WebTracking"]),
        .target(
            name: "WebTrackingTestKit",
            dependencies: [
                "WebTracking",
                "WebTrackingPlatform",
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["SwiftLog"])),
            ]
        ),
        // The whole library under a seed: no product, and nothing that users build.
        .target(
            name: "WebTrackingSimulation",
            dependencies: [
                "WebTracking",
                "WebTrackingPlatform",
                "WebTrackingTestKit",
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["SwiftLog"])),
            ],
            path: "Tests/Simulation/Simulation"
        ),
        .executableTarget(
            name: "simulate",
            dependencies: ["WebTrackingPlatform", "WebTrackingSimulation"],
            path: "Tests/Simulation/Command"
        ),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["WebTrackingSimulation"],
            path: "Tests/Simulation/Tests"
        ),
        .testTarget(
            name: "WebTrackingTests",
            dependencies: [
                "WebTracking",
                "WebTrackingPlatform",
                "WebTrackingTestKit",
                "WebTrackingURLSession",
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["SwiftLog"])),
                .product(
                    name: "AsyncHTTPClient",
                    package: "async-http-client",
                    condition: .when(traits: ["AsyncHTTPClient"])
                ),
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["AsyncHTTPClient"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["AsyncHTTPClient"])),
                .product(
                    name: "ServiceLifecycle",
                    package: "swift-service-lifecycle",
                    condition: .when(traits: ["ServiceLifecycle"])
                ),
                .product(
                    name: "ServiceLifecycleTestKit",
                    package: "swift-service-lifecycle",
                    condition: .when(traits: ["ServiceLifecycle"])
                ),
                .product(name: "MetricsTestKit", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
                .product(
                    name: "Configuration",
                    package: "swift-configuration",
                    condition: .when(traits: ["Configuration"])
                ),
            ]
        ),
    ]
)

// The settings of apple/swift-log, and warnings as errors. SwiftPM drops the warning settings where this package is
// somebody's remote dependency.
for target in package.targets where [.executable, .test, .regular].contains(target.type) {
    var settings = target.swiftSettings ?? []
    settings.append(.enableUpcomingFeature("ExistentialAny"))
    settings.append(.enableUpcomingFeature("MemberImportVisibility"))
    settings.append(.enableUpcomingFeature("InternalImportsByDefault"))
    settings.append(.enableUpcomingFeature("NonisolatedNonsendingByDefault"))
    settings.append(.treatAllWarnings(as: .error))
    if target.type == .regular {
        settings.append(.unsafeFlags(["-Xfrontend", "-require-explicit-sendable"]))
    }
    target.swiftSettings = settings
}

// Scripts/test builds each trait alone with the tests that are about it: all of them take five times as long as the library.
if let files = Context.environment["WEBTRACKING_TESTS"] {
    for target in package.targets where target.name == "WebTrackingTests" {
        target.sources = files.split(separator: " ").map(String.init)
    }
}
