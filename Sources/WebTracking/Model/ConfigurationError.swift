// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A setting that cannot work: which value, which rule it breaks, and how to mend it.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The setting, as it is called in ``WebTrackingConfiguration``, or a limit of this process.
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
