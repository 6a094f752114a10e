// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

extension Redaction {
    /// Throws ``ConfigurationError`` for the first rule that cannot work.
    public func validate() throws {
        for rule in self.rules {
            switch rule.kind {
            case .key(let name), .suffix(let name):
                let isKey = name.utf8.contains { !KeyPatterns.isIgnored($0) }
                try ConfigurationError.require(isKey, "redaction.rules", name) {
                    (
                        "a rule's key has a character that is neither a hyphen nor an underscore",
                        "Name the key, or an ending of it."
                    )
                }
            default: break
            }
            guard rule.action != .pseudonym || self.pseudonymKey != nil else { throw Self.noKey }
        }
    }

    private static var noKey: ConfigurationError {
        ConfigurationError(
            setting: "redaction.pseudonymKey",
            value: "none",
            rule: "pseudonyms need a key: without one, values could be found by trying",
            suggestion: "Set 16 secret bytes, for example from `openssl rand -hex 16`."
        )
    }
}

extension Sampling {
    /// Throws ``ConfigurationError`` for the first rate that cannot work.
    public func validate() throws {
        for (level, rate) in self.rates.sorted(by: { $0.key < $1.key }) {
            try WebTrackingConfiguration.check(
                rate.first,
                in: 0...1_000_000,
                setting: "sampling.rates.\(level.rawValue).first"
            )
            try WebTrackingConfiguration.check(
                rate.thenOneIn ?? 1,
                in: 1...1_000_000_000,
                setting: "sampling.rates.\(level.rawValue).thenOneIn"
            )
        }
    }
}
