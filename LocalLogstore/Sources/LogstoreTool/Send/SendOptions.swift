// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Logging
import WebTracking

/// How `send` names its compressions.
enum SendCompression: String, ExpressibleByArgument, CaseIterable {
    case lz4
    case deflate
    case none
}

/// A level by name, `warn` and `fatal` included.
struct LevelArgument: ExpressibleByArgument {
    var level: Logger.Level

    init(level: Logger.Level) {
        self.level = level
    }

    init?(argument: String) {
        guard let level = LoggerLine.level(named: argument) else { return nil }
        self.level = level
    }

    var defaultValueDescription: String { self.level.rawValue }

    static var allValueStrings: [String] { Logger.Level.allCases.map(\.rawValue) }
}

/// Refuses what is no time to wait for the last records.
func checkTimeout(_ timeout: Double) throws {
    guard timeout >= 0, timeout <= 86_400 else {
        throw ValidationError("--timeout has to be from 0 to 86400 seconds.")
    }
}

/// Where records go and how: the options that become the library's configuration.
struct SendOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The service: a region's host, or http://127.0.0.1:8080 for one here.", valueName: "url")
    )
    var endpoint: String

    @Option(help: "The project.")
    var project: String

    @Option(help: "The logstore.")
    var logstore: String

    @Option(help: "The topic of all records.")
    var topic = ""

    @Option(help: ArgumentHelp("A tag of all records; may be given several times.", valueName: "key=value"))
    var tag: [KeyValue] = []

    @Option(help: "How request bodies are compressed.")
    var compression = SendCompression.lz4

    @Flag(help: "Take http:// for another machine, where everybody on the way can read the lines.")
    var allowPlainHTTP = false

    func validate() throws {
        do {
            try self.configuration.validate()
        } catch let error as ConfigurationError where error.setting == "allowsPlainHTTP" {
            // In the words of the command line.
            throw ValidationError(
                "\(error.rule). Write https:// in --endpoint, or add --allow-plain-http if that is meant."
            )
        } catch {
            throw ValidationError("\(error)")
        }
    }

    /// What the options say, for the library.
    var configuration: WebTrackingConfiguration {
        var configuration = WebTrackingConfiguration(
            endpoint: self.endpoint,
            project: self.project,
            logstore: self.logstore
        )
        configuration.allowsPlainHTTP = self.allowPlainHTTP
        configuration.topic = .fixed(self.topic)
        configuration.tags = Dictionary(self.tag.map { ($0.key, $0.value) }) { _, last in last }
        configuration.compression =
            switch self.compression {
            case .lz4: .lz4
            case .deflate: .deflate()
            case .none: .none
            }
        // The lines come from elsewhere: where this program logs them says nothing.
        configuration.fields.includesCodeLocation = false
        configuration.logLevel = .trace
        return configuration
    }
}
