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

    @OptionGroup var signing: SigningOptions

    @Flag(help: "Take folders of the spool that a group of this user may write to.")
    var group = false

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
        guard !self.group || self.spool != nil else { throw ValidationError("--group takes --spool.") }
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
        set("SIGNING_REGION", self.signing.region)
        set("ALLOWS_PLAIN_HTTP", self.allowPlainHTTP ? "true" : nil)
        return variables
    }

    /// A setting that has no default, and is not there.
    struct MissingSetting: Error {
        var name: String
        var variable: String
    }

    /// The configuration. Throws ``MissingSetting``, or what the library says about the settings.
    func configuration(_ environment: [String: String]) throws -> WebTrackingConfiguration {
        var variables = self.variables(environment)
        if let spool = self.spool {
            // What the settings say of it stands, as a look at power is another one than at process.
            if try self.read(variables).durability == .memory { variables[Self.prefix + "DURABILITY"] = "process" }
            variables[Self.prefix + "SPOOL_DIRECTORY"] = URL(fileURLWithPath: spool).path
            if self.group { variables[Self.prefix + "SPOOL_PERMITS"] = "group" }
        }
        var configuration = try self.read(variables)
        // Without a file the settings say where the AccessKey is.
        if self.signing.accessKey != nil, let authentication = try self.signing.authentication {
            configuration.authentication = authentication
        }
        return configuration
    }

    private func read(_ variables: [String: String]) throws -> WebTrackingConfiguration {
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
