// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A setting that cannot work: its value, the rule that it breaks, and what to do about it.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The name of the setting in ``WebTrackingConfiguration``, or a limit of this process.
    public var setting: String
    /// The value.
    public var value: String
    /// The rule that the value breaks.
    public var rule: String
    /// What to write instead.
    public var suggestion: String

    /// The error in one line.
    public var description: String {
        "\(self.setting) \(self.value.debugDescription): \(self.rule). \(self.suggestion)".withoutControls
    }
}

extension ConfigurationError {
    /// Throws unless a setting is right. `advice` is asked only then: for the rule that the value breaks, and for what to
    /// write instead.
    static func require(
        _ isRight: Bool,
        _ setting: String,
        _ value: @autoclosure () -> String,
        advice: () -> (rule: String, suggestion: String)
    ) throws {
        guard !isRight else { return }
        let (rule, suggestion) = advice()
        throw ConfigurationError(setting: setting, value: value(), rule: rule, suggestion: suggestion)
    }
}
