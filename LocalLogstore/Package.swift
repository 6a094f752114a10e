// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "local-logstore",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "LocalLogstore", targets: ["LocalLogstore"]),
        // The target is not called "webtracking": on a file system that ignores case it would collide with the
        // library's module.
        .executable(name: "webtracking", targets: ["LogstoreTool"]),
    ],
    dependencies: [
        // Named, because the path's last component is whatever the checkout is called.
        .package(name: "swift-log-webtracking", path: "..", traits: [.defaults, "Configuration", "SignedPutLogs"]),
        // The traits of Examples/HummingbirdServer here, too, so that one build folder serves both.
        .package(
            url: "https://github.com/hummingbird-project/hummingbird.git",
            from: "2.28.1",
            traits: ["ConfigurationSupport"]
        ),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.0"),
        .package(
            url: "https://github.com/apple/swift-configuration.git",
            from: "1.4.0",
            traits: ["CommandLineArguments"]
        ),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0", traits: []),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: [
        // Not the root package's modules: the endpoint judges the library's bodies with code of its own.
        .systemLibrary(
            name: "CLZ4Server",
            pkgConfig: "liblz4",
            providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]
        ),
        .systemLibrary(
            name: "CZlibServer",
            pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]
        ),
        .systemLibrary(
            name: "CZstdServer",
            pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]
        ),
        .systemLibrary(name: "CMemory"),
        .target(
            name: "LocalLogstore",
            dependencies: [
                "CLZ4Server",
                "CMemory",
                "CZlibServer",
                "CZstdServer",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            // The proto file is the source of what is generated from it.
            exclude: ["PutLogs/log_group.proto"],
            // Part of the program itself, which then works wherever it is copied to.
            resources: [.embedInCode("Web/Page")]
        ),
        .executableTarget(
            name: "LogstoreTool",
            dependencies: [
                "CMemory",
                "LocalLogstore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "WebTracking", package: "swift-log-webtracking"),
                .product(name: "X509", package: "swift-certificates"),
            ]
        ),
        .target(
            name: "LocalLogstoreTestSupport",
            dependencies: [
                "LocalLogstore",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Tests/LocalLogstoreTestSupport"
        ),
        .testTarget(
            name: "LocalLogstoreTests",
            dependencies: [
                "CLZ4Server",
                "CZlibServer",
                "CZstdServer",
                "LocalLogstore",
                "LocalLogstoreTestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]
        ),
        .testTarget(
            name: "LogstoreToolTests",
            dependencies: [
                "LocalLogstore",
                "LocalLogstoreTestSupport",
                "LogstoreTool",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "WebTracking", package: "swift-log-webtracking"),
            ]
        ),
        // A process that logs through the library and is ended from outside.
        .executableTarget(
            name: "e2e-child",
            dependencies: [
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "WebTracking", package: "swift-log-webtracking"),
            ],
            path: "Tests/e2e-child"
        ),
        // Kills processes that log; see Scripts/chaos.
        .executableTarget(
            name: "chaos",
            dependencies: [
                "LocalLogstore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "WebTracking", package: "swift-log-webtracking"),
            ],
            path: "Tests/chaos"
        ),
        // A program that uses the library as anybody can; see Scripts/scenarios.
        .executableTarget(
            name: "probe",
            dependencies: [
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "WebTracking", package: "swift-log-webtracking"),
            ],
            path: "Tests/probe/Sources/probe"
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "e2e-child",
                "LocalLogstore",
                "LocalLogstoreTestSupport",
                "LogstoreTool",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "WebTracking", package: "swift-log-webtracking"),
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
