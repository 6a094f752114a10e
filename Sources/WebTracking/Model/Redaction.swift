// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
public import Logging
#endif

/// What happens to metadata that shall not leave the process, before a byte of it leaves the caller's thread.
///
/// Rules are asked for every metadata value, leaf by leaf through dictionaries and arrays, in their order; the first that
/// has an answer decides, and a value that no rule knows is kept. They see the metadata of the handler, of the provider and
/// of the event, whether it becomes fields, tags or a topic, and the text of errors under the field's name
/// (``FieldMapping/errorMessage``). **Message text is left alone**, as are labels and the tags of the configuration.
///
/// ```swift
/// configuration.redaction.rules.insert(.key("user.id", .pseudonym), at: 0)
/// configuration.redaction.pseudonymKey = PseudonymKey(hexadecimal: secret)
/// ```
///
/// A value is masked to `[redacted]`, dropped with its field, or replaced by a pseudonym. How many values that happened to
/// is in ``WebTrackingStatistics/redacted``.
public struct Redaction: Sendable, Equatable {
    /// What happens to a value.
    public enum Action: String, Sendable, CaseIterable {
        /// The value stays as it is, whatever later rules say.
        case keep
        /// The value becomes `[redacted]`.
        case mask
        /// The value is left out, with its field; an array loses the element.
        case drop
        /// The value becomes `p:` and 32 hexadecimal digits: a keyed hash, the same for equal values, that says nothing about
        /// them to who does not have the key. Needs ``Redaction/pseudonymKey``.
        case pseudonym
    }

    /// What a masked value becomes.
    static let masked = "\(maskedText)"
    static let maskedText: StaticString = "[redacted]"

    /// The rules, the most important first.
    public var rules: [RedactionRule]
    /// What pseudonyms are made with. Producers with the same key give equal values equal pseudonyms.
    public var pseudonymKey: PseudonymKey?

    /// Creates a redaction from its rules.
    public init(rules: [RedactionRule], pseudonymKey: PseudonymKey? = nil) {
        self.rules = rules
        self.pseudonymKey = pseudonymKey
    }

    /// Redacts nothing, and costs nothing.
    public static let none = Redaction(rules: [])

    /// Masks what goes by the name of a secret (``standardSuffixes`` and ``standardKeys``), and with the `SwiftLog` trait
    /// what is marked with ``Sensitivity``. The default.
    public static let standard = Redaction(rules: Self.standardRules)

    /// Keys that end in one of these are masked by ``standard``.
    public static let standardSuffixes = [
        "authorization", "cookie", "cookies", "password", "passwords", "password-hash", "password-digest",
        "password-salt", "password-confirmation", "passwd", "pwd", "passphrase", "passcode", "secret", "secrets",
        "secret-key", "secret-keys", "token", "api-key", "api-keys", "access-key", "access-keys", "access-key-id",
        "private-key", "private-keys", "signing-key", "encryption-key", "consumer-key", "application-key", "app-key",
        "auth-key", "credential", "credentials", "connection-string", "session-id", "sessid", "card-number",
    ]
    /// Keys that are one of these are masked by ``standard``.
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

    /// For values whose key is `name`.
    ///
    /// Letters count as equal in both cases, beyond ASCII scalar by scalar and up to canonical equivalence. Hyphens and
    /// underscores do not count at all, nor does a number at the end of a key unless `name` has one: `api-key` is `API_KEY`
    /// is `apiKey2`. A key is taken apart at its dots, and the keys of nested dictionaries belong to it: `token` is for
    /// `token`, `user.token`, `token.value`, and for everything inside a dictionary of this name. Between the words of a
    /// `name` with hyphens or underscores, a key may have a dot: `api-key` is for `api.key`, too. A `name` with dots is for
    /// the whole key.
    public static func key(_ name: String, _ action: Redaction.Action) -> RedactionRule {
        RedactionRule(kind: .key(name), action: action)
    }

    /// For values whose key, or a part of it between dots, ends in `ending`; compared as in ``key(_:_:)``.
    public static func suffix(_ ending: String, _ action: Redaction.Action) -> RedactionRule {
        RedactionRule(kind: .suffix(ending), action: action)
    }

    /// For whatever `decide` has an answer for: it is given a value's key, with the keys of the dictionaries around it and
    /// dots between them, and its text.
    ///
    /// Called on the thread that logs, for every value that no earlier rule decided about, and now and then twice with the
    /// same text; it must be quick, and must not log. A value that computes its description is asked for it once for each
    /// record: the text that was judged is the text that is sent.
    public static func function(
        _ decide: @escaping @Sendable (_ key: String, _ value: String) -> Redaction.Action?
    ) -> RedactionRule {
        RedactionRule(kind: .function(RedactionFunction(decide)), action: .keep)
    }

    #if SwiftLog
    /// For values that carry this attribute with this value, of whatever type the attribute is.
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

    /// Compares what the rules are for and what they do; two functions are equal if they come from one call of
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
