// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog

public import Logging

/// A metadata attribute that says whether all readers of the logs may see a value.
///
/// ```swift
/// logger.info("signed in", metadata: ["email": "\(email, attributes: [Sensitivity.sensitive])"])
/// ```
///
/// ``Redaction/standard`` masks values that are ``sensitive``. For another action, or another type of attribute, add a
/// rule (``RedactionRule/attribute(_:_:)``).
public enum Sensitivity: Int64, Sendable, Logging.Logger.MetadataValueAttributes.Attribute {
    /// All readers may see the value.
    case plain = 0
    /// The value is confidential.
    case sensitive = 1
}

#endif
