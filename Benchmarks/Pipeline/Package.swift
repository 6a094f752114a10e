// swift-tools-version: 6.2

import PackageDescription

// How much the parts of the pipeline take: throughput in bytes, measured with ordo-one/benchmark. A package of its own,
// so that only those who run it build that package's tools.
let package = Package(
    name: "pipeline-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        // Named, because the path's last component is whatever the checkout is called.
        .package(name: "swift-log-webtracking", path: "../..", traits: ["SwiftLog"]),
        .package(name: "gates", path: "../Gates"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        // Without traits: its counts of allocations read 0 on Linux, and what counts them costs time.
        .package(url: "https://github.com/ordo-one/benchmark.git", from: "1.38.1", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "Pipeline",
            dependencies: [
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ReferenceRecords", package: "gates"),
                .product(name: "WebTracking", package: "swift-log-webtracking"),
            ],
            path: "Benchmarks/Pipeline",
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .treatAllWarnings(as: .error),
            ],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        )
    ]
)
