// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Configuration
import Logging
import ServiceLifecycle
import SystemPackage
import WebTracking

/// Obeys the settings file while the service runs: levels, redaction and sampling change with it, without a restart.
///
/// The file is looked at four times a second, and at once on SIGHUP.
struct RuntimeSettings: Service {
    var path: String
    var settings: Settings
    var producer: WebTrackingProducer

    func run() async throws {
        // Not the provider that the settings were first read from: this one has a logger, and loggers that are made before
        // the bootstrap know nothing of it.
        var logger = Logger(label: "service.settings")
        // Below that it tells of each look.
        logger.logLevel = .info
        let file = try await ReloadingFileProvider<JSONSnapshot>(
            filePath: FilePath(self.path),
            pollInterval: .milliseconds(250),
            logger: logger
        )
        let config = self.settings.logging(file: file)
        let producer = self.producer
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await file.run() }
            group.addTask { try await WebTrackingSettingsService(producer: producer, config: config).run() }
            try await group.waitForAll()
        }
    }
}
