// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

extension WebTrackingConfiguration: CustomStringConvertible {
    /// One line for each setting: its key, its value, and the origin of the value (a default, the program, a variable,
    /// a file). Secrets are masked. `spool.isRescue` has no key.
    public var description: String {
        var defaults = WebTrackingConfiguration(endpoint: "", project: "", logstore: "")
        defaults.source = nil
        return zip(self.entries, defaults.entries)
            .map { entry, standard in
                "\(entry.key) = \(entry.value) (\(self.origin(of: entry, unlike: standard.value)))".withoutControls
            }
            .joined(separator: "\n")
    }

    private func origin(of entry: (key: String, value: String), unlike standard: String) -> String {
        #if Configuration
        if let read = self.readSettings.origins[entry.key] {
            return read.value == entry.value ? read.origin : "\(read.origin), changed by the program"
        }
        #endif
        return entry.value == standard ? "default" : "program"
    }

    /// The values of all settings by key, always in this order.
    var entries: [(key: String, value: String)] { self.entries { _ in Redaction.masked } }

    /// - Parameter hidden: Makes the text that is shown for a secret.
    func entries(hidden: (String) -> String) -> [(key: String, value: String)] {
        self.destination + self.redaction.entries + self.sampling.entries + self.amounts + self.durabilityEntries
            + self.entries(of: PlainSetting.fields) + self.proxyEntries(hidden) + self.signingEntries(hidden)
    }

    private var destination: [(key: String, value: String)] {
        [
            // These may have a password in them by mistake, so mask it.
            ("endpoint", self.endpoint.withoutCredentials),
            ("project", self.project.withoutCredentials),
            ("logstore", self.logstore.withoutCredentials),
            ("allowsPlainHTTP", "\(self.allowsPlainHTTP)"),
            ("source", self.source ?? HostName.current),
            ("tags", Self.text(self.tags.map { "\($0.key)=\($0.value)" }.sorted())),
            ("topic", self.topic.text),
            ("promotedTags", Self.text(self.promotedTags)),
            ("maximumTopics", "\(self.maximumTopics)"),
            ("idleTopicTimeoutSeconds", Self.seconds(self.idleTopicTimeout)),
            ("compression", self.compression.text),
            ("memoryLimit", "\(self.memoryLimit)"),
            ("logLevel", self.logLevel.rawValue),
            ("logLevels", Self.text(self.logLevelOverrides.map { "\($0.key)=\($0.value.rawValue)" }.sorted())),
        ]
    }

    private var amounts: [(key: String, value: String)] {
        self.entries(of: PlainSetting.batching)
            + [("batching.urgentLevel", self.batching.urgentLevel?.rawValue ?? "none")]
            + self.entries(of: PlainSetting.delivery + PlainSetting.limits)
    }

    private func entries(of settings: [PlainSetting.Named]) -> [(key: String, value: String)] {
        settings.map { key, setting in
            switch setting {
            case .number(let path, _): (key, "\(self[keyPath: path])")
            case .seconds(let path, _): (key, Self.seconds(self[keyPath: path]))
            case .text(let path): (key, self[keyPath: path])
            case .flag(let path): (key, "\(self[keyPath: path])")
            }
        }
    }

    private var durabilityEntries: [(key: String, value: String)] {
        let durability =
            switch self.durability {
            case .memory: "memory"
            case .process: "process"
            case .power: "power"
            }
        return [
            ("durability", durability),
            ("spool.directory", self.spool.directory ?? "none"),
            ("spool.maximumBytes", "\(self.spool.maximumBytes)"),
            ("spool.maximumAgeSeconds", Self.seconds(self.spool.maximumAge)),
            ("spool.permits", self.spool.permits.rawValue),
            ("spool.reportsUnexpectedExits", "\(self.spool.reportsUnexpectedExits)"),
            ("spool.isRescue", "\(self.spool.isRescue)"),
            ("spool.syncIntervalSeconds", self.durability.syncInterval.map(Self.seconds) ?? "none"),
        ]
    }

    private func proxyEntries(_ hidden: (String) -> String) -> [(key: String, value: String)] {
        #if AsyncHTTPClient
        let server = self.proxy?.server
        return [
            ("proxy.host", server?.host.withoutCredentials ?? "none"),
            ("proxy.port", server.map { "\($0.port)" } ?? "none"),
            ("proxy.username", server?.username.map(hidden) ?? "none"),
            ("proxy.password", server?.password.map(hidden) ?? "none"),
            ("proxy.fromEnvironment", "\(self.proxy == .environment)"),
        ]
        #else
        return []
        #endif
    }

    private func signingEntries(_ hidden: (String) -> String) -> [(key: String, value: String)] {
        #if SignedPutLogs
        let signing = self.authentication.signing
        let fixed = signing?.provider as? WebTrackingCredentials
        let provider = signing == nil ? "none" : "from a provider"
        return [
            ("signing.region", signing?.region ?? "none"),
            ("signing.accessKeyID", fixed?.accessKeyID ?? provider),
            ("signing.accessKeySecret", fixed.map { hidden($0.accessKeySecret) } ?? provider),
            ("signing.securityToken", fixed.map { $0.securityToken.map(hidden) ?? "none" } ?? provider),
        ]
        #else
        return []
        #endif
    }

    fileprivate static func text(_ items: [String]) -> String { items.isEmpty ? "none" : items.joined(separator: ", ") }

    private static func seconds(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        return attoseconds == 0 ? "\(seconds)" : "\(Double(seconds) + Double(attoseconds) / 1e18)"
    }
}

extension TopicRule {
    /// The rule as a configuration has it.
    fileprivate var text: String {
        switch self {
        case .fixed(let topic): "fixed:\(topic)"
        case .label: "label"
        case .labelPrefix(let components): "label-prefix:\(components)"
        case .metadata(let key, let fallback): "metadata:\(key):\(fallback)"
        }
    }
}

extension Compression {
    /// The compression as a configuration has it.
    fileprivate var text: String {
        switch self {
        case .lz4: "lz4"
        case .deflate(let level): "deflate:\(level)"
        case .none: "none"
        }
    }
}

extension Redaction {
    /// The range of the standard rules, if they are complete and in their order. The program may have equal rules of
    /// its own.
    var standardRules: Range<Int>? {
        let standard = Redaction.standard.rules
        return self.rules.indices.lazy
            .map { $0..<($0 + standard.count) }
            .last { $0.upperBound <= self.rules.count && self.rules[$0].elementsEqual(standard) }
    }

    /// The rules without the standard ones, and whether the standard ones are in force.
    private var own: (rules: [RedactionRule], hasStandard: Bool) {
        guard let range = self.standardRules else { return (self.rules, false) }
        return (Array(self.rules[..<range.lowerBound] + self.rules[range.upperBound...]), true)
    }

    fileprivate var entries: [(key: String, value: String)] {
        let own = self.own
        return [("redaction.standard", "\(own.hasStandard)")]
            + [Action.keep, .drop, .pseudonym, .mask].map { action in
                ("redaction.\(action)", WebTrackingConfiguration.text(Self.names(own.rules, action)))
            }
            + [("redaction.pseudonymKey", self.pseudonymKey == nil ? "none" : Redaction.masked)]
    }

    private static func names(_ rules: [RedactionRule], _ action: Action) -> [String] {
        rules.compactMap { rule in
            switch rule.kind {
            case .function: action == .keep ? "what a function decides" : nil
            default: rule.action == action ? rule.subject : nil
            }
        }
    }

    /// A short text for a line.
    var summary: String {
        let own = self.own
        var parts = own.hasStandard ? ["standard"] : []
        for action in [Action.keep, .drop, .pseudonym, .mask] {
            let names = Self.names(own.rules, action)
            if !names.isEmpty { parts.append("\(action) \(WebTrackingConfiguration.shortened(names))") }
        }
        return parts.isEmpty ? "off" : parts.joined(separator: ", ")
    }
}

extension RedactionRule {
    /// What the rule matches, as text.
    fileprivate var subject: String {
        switch self.kind {
        case .key(let name): name
        case .suffix(let name): "*\(name)"
        #if SwiftLog
        case .attribute: "an attribute"
        #endif
        case .function: "a function"
        }
    }
}

extension Sampling {
    fileprivate var entries: [(key: String, value: String)] {
        let levels = LogLevel.ranked.filter { self.rates[$0] != nil }
        let rate = levels.first.flatMap { self.rates[$0] }
        let isOne =
            levels == Array(LogLevel.ranked.prefix(levels.count)) && levels.allSatisfy { self.rates[$0] == rate }
        let suppressed = LogLevel.ranked.prefix { self.suppressedRepeats.contains($0) }
        let suppressRepeatsBelow = suppressed.isEmpty ? "none" : Self.level(after: suppressed.count)
        return [
            ("sampling.first", isOne ? rate.map { "\($0.first)" } ?? "none" : "by level"),
            ("sampling.thenOneIn", isOne ? rate?.thenOneIn.map { "\($0)" } ?? "none" : "by level"),
            ("sampling.below", isOne ? (levels.isEmpty ? "none" : Self.level(after: levels.count)) : "by level"),
            (
                "sampling.suppressRepeatsBelow",
                suppressed.count == self.suppressedRepeats.count ? suppressRepeatsBelow : "by level"
            ),
        ]
    }

    private static func level(after count: Int) -> String {
        count < LogLevel.ranked.count ? LogLevel.ranked[count].rawValue : "all"
    }

    /// A short text for a line.
    var summary: String {
        guard self != .off else { return "off" }
        return self.entries.filter { $0.value != "none" }
            .map { "\($0.key.dropFirst("sampling.".count)) \($0.value)" }
            .joined(separator: ", ")
    }
}

extension WebTrackingConfiguration {
    /// The first few names of a list, and the number of the others.
    static func shortened(_ names: [String]) -> String {
        names.prefix(5).joined(separator: " ") + (names.count > 5 ? " and \(names.count - 5) more" : "")
    }
}
