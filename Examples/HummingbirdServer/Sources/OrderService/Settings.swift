// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Configuration
import WebTracking

/// What the service is told from outside.
///
/// Each setting is an argument or an environment variable, and those of logging can also be in a file; they win in this
/// order. `webtracking.` is followed by the keys of `WebTrackingConfiguration.init(config:)`, of which three are required.
///
///     WEBTRACKING_ENDPOINT   --webtracking-endpoint   where logs go: cn-hangzhou, or http://127.0.0.1:8080
///     WEBTRACKING_PROJECT    --webtracking-project    the project
///     WEBTRACKING_LOGSTORE   --webtracking-logstore   the logstore
///     WEBTRACKING_…          --webtracking-…          all others
///     CONFIG_FILE            --config-file            a JSON file with more of them, followed while the service runs
///     LOG_CONSOLE=true       --log-console true       lines go to standard error as well
///     HOST                   --host                   the address to listen on; 127.0.0.1
///     PORT                   --port                   the port; 8080, or 0 for any that is free
///     PORT_FILE              --port-file              a file to write the port to
struct Settings {
    var host: String
    var port: Int
    var portFile: String?
    var keepsConsole: Bool
    var logs: WebTrackingConfiguration
    /// The file to follow; `nil` without one.
    var file: WebTrackingSettingsFile?

    /// Reads the arguments, the environment of the process, and the file that they name.
    static func fromProcess() throws -> Settings {
        try Settings(providers: [CommandLineArgumentsProvider(), EnvironmentVariablesProvider()])
    }

    /// Reads the settings; the first provider that has one wins, and the file that they name comes last.
    ///
    /// The library reads the file, and not a provider of swift-configuration: it checks every key, finds what Kubernetes
    /// mounts, and needs no JSON of Foundation, which would bring in all of it, ICU included.
    init(providers: [any ConfigProvider]) throws {
        let reader = ConfigReader(providers: providers)
        let logs = reader.scoped(to: "webtracking")
        self.host = reader.string(forKey: "host", default: "127.0.0.1")
        self.portFile = reader.string(forKey: "portFile")
        self.keepsConsole = reader.bool(forKey: "logConsole", default: false)
        self.file = reader.string(forKey: "configFile").map { WebTrackingSettingsFile($0, overrides: logs) }
        if let file = self.file {
            self.logs = try WebTrackingConfiguration(file: file)
        } else {
            for (key, variable, example) in Self.required where reader.string(forKey: key) == nil {
                throw SettingsError(variable: variable, problem: "is not set; give it a value like \(example)")
            }
            self.logs = try WebTrackingConfiguration(config: logs)
        }
        self.port = try Self.port(reader)
        // Labels begin with the part of the service that logs, and each part gets a topic of its own.
        if self.logs.topic == .fixed("") { self.logs.topic = .labelPrefix(components: 1) }
        if self.logs.tags.isEmpty { self.logs.tags = ["service": "orders"] }
    }

    private static let required: [(key: ConfigKey, variable: String, example: String)] = [
        ("webtracking.endpoint", "WEBTRACKING_ENDPOINT", "cn-hangzhou or http://127.0.0.1:8080"),
        ("webtracking.project", "WEBTRACKING_PROJECT", "my-project"),
        ("webtracking.logstore", "WEBTRACKING_LOGSTORE", "orders"),
    ]

    private static func port(_ reader: ConfigReader) throws -> Int {
        guard let text = reader.string(forKey: "port") else { return 8080 }
        guard let port = Int(text), (0...65_535).contains(port) else {
            throw SettingsError(variable: "PORT", problem: "is \(text.debugDescription), but has to be from 0 to 65535")
        }
        return port
    }
}

/// A setting that is missing or cannot work.
struct SettingsError: Error, Equatable, CustomStringConvertible {
    var variable: String
    var problem: String

    var description: String { "\(self.variable) \(self.problem)" }
}
