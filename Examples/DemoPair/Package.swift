// swift-tools-version: 6.2
// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// Nothing of its own: the local endpoint and the example that logs to it in one build folder, so that what both need
// (SwiftNIO, Hummingbird, the library) is built once. Scripts/demo builds from here.
let package = Package(
    name: "demo-pair",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "local-logstore", path: "../../LocalLogstore"),
        .package(name: "order-service", path: "../HummingbirdServer"),
    ]
)
