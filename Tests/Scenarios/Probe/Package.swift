// swift-tools-version: 6.2

import PackageDescription

// A program that uses the library as anybody can. It is built against this checkout or, so that one scenario runs on
// several states of the library, against the one that WEBTRACKING_CHECKOUT names.
let package = Package(
    name: "probe",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(
            name: "swift-log-webtracking",
            path: Context.environment["WEBTRACKING_CHECKOUT"] ?? "../../..",
            traits: [.defaults, "Configuration", "SignedPutLogs"]
        ),
        .package(url: "https://github.com/apple/swift-configuration.git", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
    ],
    targets: [
        .executableTarget(
            name: "probe",
            dependencies: [
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
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
