// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Configuration

@testable import OrderService

extension Settings {
    /// Settings with only the variables that are required, and these.
    static func forTests(_ variables: [String: String] = [:]) throws -> Settings {
        try Settings(providers: [EnvironmentVariablesProvider(environmentVariables: self.environment(variables))])
    }

    /// An environment with only the variables that are required, and these.
    static func environment(_ variables: [String: String] = [:]) -> [String: String] {
        let required = [
            "WEBTRACKING_ENDPOINT": "http://127.0.0.1:1", "WEBTRACKING_PROJECT": "demo",
            "WEBTRACKING_LOGSTORE": "orders",
        ]
        return required.merging(variables) { $1 }.filter { !$0.value.isEmpty }
    }
}
