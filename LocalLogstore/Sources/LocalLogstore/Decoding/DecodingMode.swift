// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// How much an endpoint takes.
public enum DecodingMode: String, Sendable, CaseIterable {
    /// Only what is documented. For tests of a client that must not rely on anything else.
    case strict
    /// What official clients are known to send, too: no headers but the body, the version in the query, no
    /// `__source__`, further members, sizes in characters; and bodies up to the larger of the documented limits.
    case compatible
}
