// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration
import Foundation
import WebTracking

/// The settings that `doctor` looks at: those of the program, read as it reads them.
struct DoctorOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The service: a region, a host or a URL.", valueName: "url"))
    var endpoint: String?

    @Option(help: "The project.")
    var project: String?

    @Option(help: "The logstore.")
    var logstore: String?

    @Option(help: "Sign for this region, with the AccessKey of the environment.")
    var region: String?

    @Option(help: ArgumentHelp("The spool directory, with durability process unless another is set.", valueName: "dir"))
    var spool: String?

    @Flag(help: "Permit http:// to another machine.")
    var allowPlainHTTP = false

    @Option(help: ArgumentHelp("A JSON file with the settings, or a folder with a file for each.", valueName: "path"))
    var settings: String?

    @Option(help: ArgumentHelp("The object of the file that has them.", valueName: "name"))
    var scope: String?

    @Option(help: ArgumentHelp("A folder with a file for each secret.", valueName: "dir"))
    var secrets: String?

    func validate() throws {
        if self.settings == nil, self.scope != nil || self.secrets != nil {
            throw ValidationError("--scope and --secrets are for --settings.")
        }
    }

    /// Where variables of settings begin.
    private static let prefix = "WEBTRACKING_"

    /// The environment with what the options say in it: so both are read by one reader, by its rules.
    func variables(_ environment: [String: String]) -> [String: String] {
        var variables = environment
        func set(_ name: String, _ value: String?) {
            if let value { variables[Self.prefix + name] = value }
        }
        set("ENDPOINT", self.endpoint)
        set("PROJECT", self.project)
        set("LOGSTORE", self.logstore)
        set("SIGNING_REGION", self.region)
        set("ALLOWS_PLAIN_HTTP", self.allowPlainHTTP ? "true" : nil)
        if let spool = self.spool {
            set("SPOOL_DIRECTORY", URL(fileURLWithPath: spool).path)
            if (environment[Self.prefix + "DURABILITY"] ?? "memory") == "memory" { set("DURABILITY", "process") }
        }
        return variables
    }

    /// A setting that has no default, and is not there.
    struct MissingSetting: Error {
        var name: String
        var variable: String
    }

    /// The configuration. Throws ``MissingSetting``, or what the library says about the settings.
    func configuration(_ environment: [String: String]) throws -> WebTrackingConfiguration {
        let variables = self.variables(environment)
        let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: variables))
            .scoped(to: "webtracking")
        if let settings = self.settings {
            return try WebTrackingConfiguration(
                file: WebTrackingSettingsFile(settings, scope: self.scope, secrets: self.secrets, overrides: reader)
            )
        }
        for name in ["endpoint", "project", "logstore"] {
            let variable = Self.prefix + name.uppercased()
            guard (variables[variable] ?? "").isEmpty else { continue }
            throw MissingSetting(name: name, variable: variable)
        }
        return try WebTrackingConfiguration(config: reader)
    }
}
