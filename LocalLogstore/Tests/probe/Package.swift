// swift-tools-version: 6.2

import PackageDescription

// For another checkout, the one that WEBTRACKING_CHECKOUT names, so that one scenario runs on several states of the
// library. This checkout's probe is a target of LocalLogstore, whose build has all that it needs.
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
