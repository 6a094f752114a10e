// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
public import Logging
#endif

/// Hides metadata that must not leave the process. It is applied on the thread that logs, before anything else sees the
/// record.
///
/// Rules apply to every metadata value, also inside dictionaries and arrays. They are tried in order, and the first one
/// that matches decides. A value that no rule matches is kept. Rules see the metadata of the handler, of the provider
/// and of the event, whether it becomes a field, a tag or a topic. They also see the text of errors, under the name of
/// the field (``FieldMapping/errorMessage``). **Message text is not changed**, nor are labels and the tags of the
/// configuration.
///
/// ```swift
/// configuration.redaction.rules.insert(.key("user.id", .pseudonym), at: 0)
/// configuration.redaction.pseudonymKey = PseudonymKey(hexadecimal: secret)
/// ```
///
/// A value is masked to `[redacted]`, dropped with its field, or replaced by a pseudonym.
/// ``WebTrackingStatistics/redacted`` counts these values.
public struct Redaction: Sendable, Equatable {
    /// What happens to a value.
    public enum Action: String, Sendable, CaseIterable {
        /// The value is kept, whatever later rules say.
        case keep
        /// The value becomes `[redacted]`.
        case mask
        /// The value is dropped with its field. In an array, the element is dropped.
        case drop
        /// The value becomes `p:` and 32 hexadecimal digits: a keyed hash, the same for equal values. Without the key,
        /// it says nothing about the value. Needs ``Redaction/pseudonymKey``.
        case pseudonym
    }

    /// The text that replaces a masked value.
    static let masked = "\(maskedText)"
    static let maskedText: StaticString = "[redacted]"

    /// The rules. The first one that matches a value decides.
    public var rules: [RedactionRule]
    /// The key of pseudonyms. Producers with the same key give equal values the same pseudonym.
    public var pseudonymKey: PseudonymKey?

    /// Creates a redaction from its rules.
    public init(rules: [RedactionRule], pseudonymKey: PseudonymKey? = nil) {
        self.rules = rules
        self.pseudonymKey = pseudonymKey
    }

    /// Redacts nothing, at no cost.
    public static let none = Redaction(rules: [])

    /// Masks values with the name of a secret (``standardSuffixes`` and ``standardKeys``), and with the
    /// `SwiftLog` trait values that are marked with ``Sensitivity``. The default.
    public static let standard = Redaction(rules: Self.standardRules)

    /// ``standard`` masks keys that end in one of these.
    public static let standardSuffixes = [
        "authorization", "cookie", "cookies", "password", "passwords", "password-hash", "password-digest",
        "password-salt", "password-confirmation", "passwd", "pwd", "passphrase", "passcode", "secret", "secrets",
        "secret-key", "secret-keys", "token", "api-key", "api-keys", "access-key", "access-keys", "access-key-id",
        "private-key", "private-keys", "signing-key", "encryption-key", "consumer-key", "application-key", "app-key",
        "auth-key", "credential", "credentials", "connection-string", "session-id", "sessid", "card-number",
    ]
    /// ``standard`` masks keys that are equal to one of these.
    public static let standardKeys = [
        "jwt", "bearer", "csrf", "xsrf", "connect-sid", "otp", "totp", "ssn", "cvv", "cvc", "iban", "salt",
    ]

    private static var standardRules: [RedactionRule] {
        var rules = self.standardSuffixes.map { RedactionRule.suffix($0, .mask) }
        rules += self.standardKeys.map { RedactionRule.key($0, .mask) }
        #if SwiftLog
        rules.append(.attribute(Sensitivity.sensitive, .mask))
        #endif
        return rules
    }
}

/// One rule of a ``Redaction``.
public struct RedactionRule: Sendable, Equatable {
    enum Kind: Sendable {
        case key(String)
        case suffix(String)
        #if SwiftLog
        case attribute(type: ObjectIdentifier, rawValue: Int64, isOn: @Sendable (LogMetadataValue) -> Bool)
        #endif
        case function(RedactionFunction)
    }

    let kind: Kind
    let action: Redaction.Action

    /// Applies to values with the key `name`.
    ///
    /// Upper and lower case are equal; beyond ASCII, scalar by scalar and up to canonical equivalence. Hyphens and
    /// underscores are ignored, and so is a number at the end of a key, unless `name` has one: `api-key`, `API_KEY` and
    /// `apiKey2` are equal.
    ///
    /// A key is split at its dots, and the keys of nested dictionaries are parts of it, too. `token` matches `token`,
    /// `user.token`, `token.value`, and everything inside a dictionary of this name. If `name` has words between
    /// hyphens or underscores, a key may have dots between them: `api-key` also matches `api.key`. A `name` with dots
    /// matches only the whole key.
    public static func key(_ name: String, _ action: Redaction.Action) -> RedactionRule {
        RedactionRule(kind: .key(name), action: action)
    }

    /// Applies to values with a key that ends in `ending`, or has a part between dots that does. Compares as ``key(_:_:)``.
    public static func suffix(_ ending: String, _ action: Redaction.Action) -> RedactionRule {
        RedactionRule(kind: .suffix(ending), action: action)
    }

    /// Applies to every value for which `decide` returns an action. Its arguments are the value's key, with the keys of
    /// the dictionaries around it and dots between them, and the value's text.
    ///
    /// It is called on the thread that logs, for every value that no earlier rule matched, and sometimes twice with the
    /// same text. It must be quick, and must not log. The description of a value is computed once for each record, so
    /// the text that `decide` gets is the text that is sent.
    public static func function(
        _ decide: @escaping @Sendable (_ key: String, _ value: String) -> Redaction.Action?
    ) -> RedactionRule {
        RedactionRule(kind: .function(RedactionFunction(decide)), action: .keep)
    }

    #if SwiftLog
    /// Applies to values that carry this attribute with this value. The attribute may have any type.
    public static func attribute<Attribute: Logging.Logger.MetadataValueAttributes.Attribute>(
        _ attribute: Attribute,
        _ action: Redaction.Action
    ) -> RedactionRule {
        let rawValue = attribute.rawValue
        return RedactionRule(
            kind: .attribute(type: ObjectIdentifier(Attribute.self), rawValue: rawValue) {
                $0.attributes[Attribute.self]?.rawValue == rawValue
            },
            action: action
        )
    }
    #endif

    /// Compares what rules match and what they do. Two functions are equal if they come from one call of
    /// ``function(_:)``.
    public static func == (left: RedactionRule, right: RedactionRule) -> Bool {
        guard left.action == right.action else { return false }
        switch (left.kind, right.kind) {
        case (.key(let a), .key(let b)), (.suffix(let a), .suffix(let b)): return a == b
        case (.function(let a), .function(let b)): return a === b
        #if SwiftLog
        case (.attribute(let type, let value, _), .attribute(let otherType, let otherValue, _)):
            return type == otherType && value == otherValue
        #endif
        default: return false
        }
    }
}

/// A user's function, with an identity.
final class RedactionFunction: Sendable {
    let decide: @Sendable (String, String) -> Redaction.Action?

    init(_ decide: @escaping @Sendable (String, String) -> Redaction.Action?) {
        self.decide = decide
    }
}
