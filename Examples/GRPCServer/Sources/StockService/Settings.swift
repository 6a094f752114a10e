// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// What the service is told by its environment.
///
///     WEBTRACKING_ENDPOINT   where logs go: cn-hangzhou, or http://127.0.0.1:8080
///     WEBTRACKING_PROJECT    the project
///     WEBTRACKING_LOGSTORE   the logstore
///     HOST                   the address to listen on; 127.0.0.1
///     PORT                   the port; 31415, or 0 for any that is free
struct Settings {
    var host: String
    var port: Int
    var logs: WebTrackingConfiguration

    /// Reads the environment; throws ``SettingsError`` for a variable that is missing or cannot work.
    init(environment: [String: String]) throws {
        func required(_ variable: String) throws -> String {
            guard let value = environment[variable], !value.isEmpty else {
                throw SettingsError(variable: variable, problem: "is not set")
            }
            return value
        }
        self.logs = WebTrackingConfiguration(
            endpoint: try required("WEBTRACKING_ENDPOINT"),
            project: try required("WEBTRACKING_PROJECT"),
            logstore: try required("WEBTRACKING_LOGSTORE")
        )
        self.host = environment["HOST"] ?? "127.0.0.1"
        let port = environment["PORT"] ?? "31415"
        guard let number = Int(port), (0...65_535).contains(number) else {
            throw SettingsError(variable: "PORT", problem: "is \(port.debugDescription), and no port")
        }
        self.port = number
    }
}

/// A setting that is missing or cannot work.
struct SettingsError: Error, CustomStringConvertible {
    var variable: String
    var problem: String

    var description: String { "\(self.variable) \(self.problem)" }
}
