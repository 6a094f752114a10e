// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog

public import Logging

/// A metadata attribute that says whether a value may be read by everybody who reads the logs.
///
/// ```swift
/// logger.info("signed in", metadata: ["email": "\(email, attributes: [Sensitivity.sensitive])"])
/// ```
///
/// ``Redaction/standard`` masks what is ``sensitive``; another action, or another type of attribute, takes a rule of its
/// own (``RedactionRule/attribute(_:_:)``).
public enum Sensitivity: Int64, Sendable, Logging.Logger.MetadataValueAttributes.Attribute {
    /// The value may be read.
    case plain = 0
    /// The value is nobody's business.
    case sensitive = 1
}

#endif
