// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        // Named, because the path's last component is whatever the checkout is called.
        .package(name: "swift-log-webtracking", path: ".."),
        .package(name: "gates", path: "Gates"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift.git", from: "0.2.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CLZ4Sink",
            pkgConfig: "liblz4",
            providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]
        ),
        .systemLibrary(
            name: "CZlibSink",
            pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]
        ),
        // The endpoint that everything is sent to, in C and in a process of its own: it has to cost little.
        .executableTarget(
            name: "benchmark-sink",
            dependencies: ["CLZ4Sink", "CZlibSink"],
            cSettings: [.unsafeFlags(["-O2"])]
        ),
        .target(
            name: "BenchmarkSupport",
            dependencies: [
                "CLZ4Sink",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "CCounting", package: "gates"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ReferenceRecords", package: "gates"),
                .product(name: "WebTracking", package: "swift-log-webtracking"),
            ]
        ),
        .executableTarget(
            name: "measure",
            dependencies: [
                "BenchmarkSupport",
                .product(name: "WebTracking", package: "swift-log-webtracking"),
            ]
        ),
        // A program of its own, so that the memory of the others is measured without Foundation.
        .executableTarget(
            name: "measure-urlsession",
            dependencies: [
                "BenchmarkSupport",
                .product(name: "WebTracking", package: "swift-log-webtracking"),
                .product(name: "WebTrackingURLSession", package: "swift-log-webtracking"),
            ]
        ),
    ]
)

for target in package.targets where target.type != .system && target.name != "benchmark-sink" {
    var settings = target.swiftSettings ?? []
    settings.append(.enableUpcomingFeature("ExistentialAny"))
    settings.append(.enableUpcomingFeature("MemberImportVisibility"))
    settings.append(.enableUpcomingFeature("InternalImportsByDefault"))
    settings.append(.enableUpcomingFeature("NonisolatedNonsendingByDefault"))
    settings.append(.treatAllWarnings(as: .error))
    target.swiftSettings = settings
}
