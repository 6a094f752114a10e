// swift-tools-version: 6.2

import PackageDescription

// A program that logs through the public interface and nothing else; Scripts/chaos --stderr runs it.
let package = Package(
    name: "probe",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-log-webtracking", path: "../..", traits: [])
    ],
    targets: [
        .executableTarget(
            name: "probe",
            dependencies: [
                .product(name: "WebTracking", package: "swift-log-webtracking"),
                // Not AsyncHTTPClient: SwiftNIO ignores SIGPIPE for the whole process.
                .product(name: "WebTrackingURLSession", package: "swift-log-webtracking"),
            ]
        )
    ]
)
