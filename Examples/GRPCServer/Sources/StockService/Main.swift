// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import WebTracking

/// The process: settings, logging, service.
@main
struct Main {
    static func main() async {
        do {
            let settings = try Settings(environment: ProcessInfo.processInfo.environment)
            // Before the first logger is made.
            let producer = try WebTrackingProducer.bootstrap(settings.logs, metadataProvider: .call)
            try await StockService(settings: settings, producer: producer).run()
        } catch {
            try? FileHandle.standardError.write(contentsOf: Data("stock-service: \(error)\n".utf8))
            exit(1)
        }
    }
}
