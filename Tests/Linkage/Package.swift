// swift-tools-version: 6.2

import PackageDescription

// The smallest program that logs through WebTracking without traits; Scripts/test-linkage looks at what it links.
let package = Package(
    name: "linkage",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-log-webtracking", path: "../..", traits: [])
    ],
    targets: [
        .executableTarget(
            name: "Probe",
            dependencies: [.product(name: "WebTracking", package: "swift-log-webtracking")]
        )
    ]
)
