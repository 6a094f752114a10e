// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

import Configuration
import Testing

@testable import WebTracking

/// Tests that write settings into files of a folder of their own.
protocol SettingsTests {
    var folder: SpoolDirectory { get }
}

extension SettingsTests {
    static var required: String { #""endpoint": "cn-test", "project": "project", "logstore": "logstore""# }

    func file(_ name: String, _ text: String) -> String {
        let path = "\(self.folder.path)/\(name)"
        self.folder.overwrite(path, with: Array(text.utf8))
        return path
    }

    func configuration(_ members: String) throws -> WebTrackingConfiguration {
        let text = "{\(Self.required)\(members.isEmpty ? "" : ", ")\(members)}"
        return try WebTrackingConfiguration(file: WebTrackingSettingsFile(self.file("settings.json", text)))
    }

    func error(_ members: String) throws -> ConfigurationError {
        try #require(throws: ConfigurationError.self) { try self.configuration(members) }
    }

    func read(_ variables: [String: String]) throws -> WebTrackingConfiguration {
        let required = ["WT_ENDPOINT": "cn-test", "WT_PROJECT": "project", "WT_LOGSTORE": "logstore"]
        let all = required.merging(variables) { $1 }
        let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: all)).scoped(to: "wt")
        return try WebTrackingConfiguration(layers: [.config(reader.snapshot())], environment: all)
    }
}

#endif
