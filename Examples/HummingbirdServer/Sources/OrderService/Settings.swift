// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Configuration
import SystemPackage
import WebTracking

/// What the service is told from outside.
///
/// Each setting is an argument, an environment variable or in the file; they win in this order. `webtracking.` is followed by the keys of
/// `WebTrackingConfiguration.init(config:)`, of which three are required.
///
///     WEBTRACKING_ENDPOINT   --webtracking-endpoint   where logs go: cn-hangzhou, or http://127.0.0.1:8080
///     WEBTRACKING_PROJECT    --webtracking-project    the project
///     WEBTRACKING_LOGSTORE   --webtracking-logstore   the logstore
///     WEBTRACKING_…          --webtracking-…          all others
///     CONFIG_FILE            --config-file            a JSON file with more settings, followed while the service runs
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
    var configFile: String?
    /// What stands before the file.
    private let providers: [any ConfigProvider]

    /// Reads the arguments, the environment of the process, and the file that they name.
    static func fromProcess() async throws -> Settings {
        try await Settings.read([CommandLineArgumentsProvider(), EnvironmentVariablesProvider()])
    }

    /// Reads what the providers say, and the file that they name; throws ``SettingsError`` for one that cannot be read.
    static func read(_ providers: [any ConfigProvider]) async throws -> Settings {
        guard let path = ConfigReader(providers: providers).string(forKey: "configFile") else {
            return try Settings(providers: providers)
        }
        let file: FileProvider<JSONSnapshot>
        do {
            file = try await FileProvider<JSONSnapshot>(filePath: FilePath(path))
        } catch {
            throw SettingsError(variable: "CONFIG_FILE", problem: "names a file that cannot be read: \(error)")
        }
        return try Settings(providers: providers, file: file)
    }

    /// Reads the settings; the first provider that has one wins, and the file comes last.
    init(providers: [any ConfigProvider], file: (any ConfigProvider)? = nil) throws {
        self.providers = providers
        let reader = Self.reader(providers, file: file)
        for (key, variable, example) in Self.required where reader.string(forKey: key) == nil {
            throw SettingsError(variable: variable, problem: "is not set; give it a value like \(example)")
        }
        self.host = reader.string(forKey: "host", default: "127.0.0.1")
        self.port = try Self.port(reader)
        self.portFile = reader.string(forKey: "portFile")
        self.keepsConsole = reader.bool(forKey: "logConsole", default: false)
        self.configFile = reader.string(forKey: "configFile")
        self.logs = try WebTrackingConfiguration(config: reader.scoped(to: "webtracking"))
    }

    /// The settings of logging, with a file that may change.
    func logging(file: any ConfigProvider) -> ConfigReader {
        Self.reader(self.providers, file: file).scoped(to: "webtracking")
    }

    private static func reader(_ providers: [any ConfigProvider], file: (any ConfigProvider)?) -> ConfigReader {
        ConfigReader(providers: providers + (file.map { [$0] } ?? []) + [self.defaults])
    }

    private static let required: [(key: ConfigKey, variable: String, example: String)] = [
        ("webtracking.endpoint", "WEBTRACKING_ENDPOINT", "cn-hangzhou or http://127.0.0.1:8080"),
        ("webtracking.project", "WEBTRACKING_PROJECT", "my-project"),
        ("webtracking.logstore", "WEBTRACKING_LOGSTORE", "orders"),
    ]

    /// Labels begin with the part of the service that logs, and each part gets a topic of its own.
    private static let defaults = InMemoryProvider(values: [
        "webtracking.topic": "label-prefix:1",
        "webtracking.tags": .init(.stringArray(["service=orders"]), isSecret: false),
    ])

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
