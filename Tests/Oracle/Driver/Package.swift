// swift-tools-version: 6.2

import PackageDescription

// Logs what the oracle makes up, through the public interface and nothing else; Scripts/oracle runs it. It is built
// against this checkout or, to judge another state of the library, against the one that WEBTRACKING_CHECKOUT names.
let package = Package(
    name: "driver",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(
            name: "swift-log-webtracking",
            path: Context.environment["WEBTRACKING_CHECKOUT"] ?? "../../..",
            traits: []
        )
    ],
    targets: [
        .executableTarget(
            name: "driver",
            dependencies: [
                .product(name: "WebTracking", package: "swift-log-webtracking"),
                .product(name: "WebTrackingTestKit", package: "swift-log-webtracking"),
            ],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .treatAllWarnings(as: .error),
            ]
        )
    ]
)
