// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
public import Logging
#endif

/// Where logs are sent, and how. Three values are enough to start.
///
/// ```swift
/// var configuration = WebTrackingConfiguration(
///     endpoint: "cn-hangzhou.log.aliyuncs.com", project: "my-project", logstore: "app")
/// configuration.tags = ["service": "checkout", "env": "prod"]
/// ```
///
/// Values are not checked before a ``WebTrackingProducer`` is made. Its initialiser throws ``ConfigurationError``.
public struct WebTrackingConfiguration: Sendable, Equatable {
    /// The service to send to, such as `cn-hangzhou.log.aliyuncs.com`.
    ///
    /// A host with an optional scheme and port, the name of a region (`cn-hangzhou`), a custom domain, or a loopback
    /// address.
    ///
    /// Requests go over https unless `http://` is written. For another machine, `http://` needs ``allowsPlainHTTP``.
    /// The project becomes the first label of the host, unless the host is a custom domain or an address: that belongs
    /// to one project.
    public var endpoint: String
    /// Whether logs may go over plain http to another machine. Then anyone on the way can read and change them.
    ///
    /// Without it, an ``endpoint`` with `http://` has to be a loopback address: `localhost`, 127.0.0.0/8 or `[::1]`.
    public var allowsPlainHTTP = false
    /// The project.
    ///
    /// Range: 3 to 63 lower-case letters, digits, hyphens; a letter or digit at both ends.
    public var project: String
    /// The logstore. Web tracking must be on for it, unless requests are signed.
    ///
    /// Range: 2 to 63 lower-case letters, digits, hyphens, underscores; a letter or digit at both ends.
    public var logstore: String
    /// The source of all records (`__source__`). If `nil`, the host's name.
    ///
    /// Range: at most 128 bytes.
    public var source: String?
    /// Tags that every request carries (`__tags__`).
    ///
    /// Range: keys 1 to 128 bytes, not reserved; values at most 1024 bytes; 32 KiB of a request left for records.
    public var tags: [String: String] = [:]
    /// Which topic (`__topic__`) a record belongs to: `.fixed`, `.label`, `.labelPrefix(components:)` or
    /// `.metadata(key:fallback:)`.
    ///
    /// Range: topics at most 128 bytes; 1 to 64 components.
    public var topic = TopicRule.fixed("")
    /// The keys of metadata that becomes tags instead of fields.
    ///
    /// All records of a request share their tags, so choose keys with few values. A value stays a field if it is longer
    /// than 128 bytes, or a container.
    ///
    /// Range: keys as in ``tags``; no key twice, none of ``tags``, and not the topic's key.
    public var promotedTags: [String] = []
    /// How many topics, counted with their promoted tags and with the base topic, have a queue at the same time.
    /// Records of further topics go to the base topic.
    ///
    /// These records keep their promoted values as fields. Idle topics make room for new ones. Each topic except the
    /// base topic uses 12 KiB of ``memoryLimit``, and topics may use at most half of it: 2,730 topics in 64 MiB.
    ///
    /// Range: 1 to 100,000.
    public var maximumTopics = 1024
    /// How long a topic may have no records before its queue is removed. The base topic always stays.
    ///
    /// Range: 1 s to 1 day.
    public var idleTopicTimeout = Duration.seconds(60)
    /// The compression of request bodies: `.lz4`, `.deflate(level:)` (6 unless given) or `.none`.
    ///
    /// Range: deflate 1 to 9.
    public var compression = Compression.lz4
    /// The bytes that records and topics may use in memory, those in flight included.
    ///
    /// The compressed copies of requests in flight count, too. They may exceed the limit by one batch each.
    ///
    /// When memory fills, records are dropped and counted, the least severe first: `trace` may fill 60 % of it, `debug`
    /// 70 %, `info` 80 %, `notice` 85 %, `warning` 90 %, `error` and `critical` all of it.
    ///
    /// Range: 1 MiB to 1 TiB.
    public var memoryLimit = 64 << 20
    #if AsyncHTTPClient
    /// The HTTP proxy of the producer's own transport: `.server(host:port:username:password:)` or `.environment`.
    ///
    /// With `nil`, there is none, whatever the environment says. A transport that you make has its own settings.
    public var proxy: Proxy?
    #endif
    #if SignedPutLogs
    /// How requests are authenticated: `.anonymous` (web tracking), or `.signed(credentials:region:)`.
    public var authentication = Authentication.anonymous
    #endif
    /// The fields of records, and their names.
    public var fields = FieldMapping()
    /// When records become a request.
    public var batching = Batching()
    /// How requests are sent and retried.
    public var delivery = Delivery()
    /// The limits on the size of records.
    public var limits = Limits()
    /// What accepted records survive: `.memory` nothing; `.process` the death of the process; `.power(interval:)` also
    /// the loss of power, except for the last interval (500 ms unless given) and one round of syncs.
    ///
    /// Range: anything but `.memory` needs a directory in ``spool``; the interval is 10 ms to 1 h.
    public var durability = Durability.memory
    /// Where records are kept that are to survive the process.
    public var spool = Spool()
    /// The level that handlers start with. Each logger can change its own.
    public var logLevel = LogLevel.info
    /// Levels that outrank those of the code, by the beginning of a logger's label.
    ///
    /// Labels are compared by whole components between dots. The longest match counts, and the empty one matches all
    /// labels. ``WebTrackingProducer/logLevelOverrides`` changes them at run time.
    public var logLevelOverrides: [String: LogLevel] = [:]
    /// Which metadata is masked, dropped or replaced on the caller's thread; by default, values with the name of a
    /// secret.
    public var redaction = Redaction.standard
    /// Which records are left out because too many are like them; by default none.
    public var sampling = Sampling.off

    #if Configuration
    var readSettings = ReadSettings()
    #endif

    /// Creates a configuration from the three values that have no default.
    public init(endpoint: String, project: String, logstore: String) {
        self.endpoint = endpoint
        self.project = project
        self.logstore = logstore
    }

    /// When records become a request.
    public struct Batching: Sendable, Equatable {
        /// The size at which a batch is sealed, in bytes before compression. A topic that falls behind seals at 4 times
        /// this size, and then at ``maximumRequestBytes``. A value above that has no effect.
        ///
        /// Range: 4 KiB to 10 MiB.
        public var targetBytes = 256 << 10
        /// The size that no request exceeds, in bytes of JSON before compression.
        ///
        /// The service's documentation says 3 MB, and in newer pages 10 MB.
        ///
        /// Range: 64 KiB to 10 MiB.
        public var maximumRequestBytes = 3 << 20
        /// How many records a request has at most. 4096 is a limit of the service.
        ///
        /// Range: 1 to 4096.
        public var maximumRecords = 4096
        /// How long a record waits for others before its batch is sealed.
        ///
        /// Range: 0 to 1 h.
        public var linger = Duration.seconds(2)
        /// Records of this level and above are sent at once, with those before them; `nil` for none.
        public var urgentLevel: LogLevel? = .error

        /// The defaults.
        public init() {}
    }

    /// How requests are sent and retried.
    public struct Delivery: Sendable, Equatable {
        /// How many requests are in flight at the same time. They are all of different topics.
        ///
        /// Range: 1 to 1024.
        public var maximumConcurrentRequests = 8
        /// How long one request may take, including the answer.
        ///
        /// Range: 100 ms to 10 min.
        public var requestTimeout = Duration.seconds(15)
        /// The first ceiling of the delay after a failed request.
        ///
        /// The delay is random, between zero and the ceiling, which doubles with each failure.
        ///
        /// Range: 1 ms to 1 h.
        public var initialBackoff = Duration.milliseconds(100)
        /// The largest ceiling after a failed request.
        ///
        /// Range: ``initialBackoff`` to 1 day.
        public var maximumBackoff = Duration.seconds(30)
        /// The first ceiling of the delay after an exceeded write quota.
        ///
        /// The delay is random, between half of the ceiling and the ceiling.
        ///
        /// Range: 1 ms to 1 h.
        public var initialQuotaBackoff = Duration.seconds(1)
        /// The largest ceiling after an exceeded write quota.
        ///
        /// Range: ``initialQuotaBackoff`` to 1 day.
        public var maximumQuotaBackoff = Duration.seconds(60)
        /// The first ceiling of the delay after 401 and 404.
        ///
        /// The delay is random, between half of the ceiling and the ceiling.
        ///
        /// Range: 1 ms to 1 h.
        public var initialRefusalBackoff = Duration.seconds(5)
        /// The largest ceiling after 401 and 404.
        ///
        /// Range: ``initialRefusalBackoff`` to 1 day.
        public var maximumRefusalBackoff = Duration.seconds(60)
        /// How long 401 and 404 are retried. After that, records are dropped until the service accepts some again.
        ///
        /// After web tracking is switched on, it takes about a minute to have effect.
        ///
        /// Range: 0 to 7 days.
        public var refusalPatience = Duration.seconds(600)
        /// The age at which a batch is dropped, counted from its first record.
        ///
        /// Range: 1 s to 7 days.
        public var maximumAge = Duration.seconds(86_400)
        /// How long the final flush of a ServiceLifecycle service may take.
        ///
        /// Range: 0 to 1 h.
        public var shutdownTimeout = Duration.seconds(10)

        /// The defaults.
        public init() {}
    }

    /// The limits on the size of records.
    public struct Limits: Sendable, Equatable {
        /// The longest value, in bytes of UTF-8, before JSON's escapes; 1 MiB is a limit of the service.
        ///
        /// Range: 256 bytes to 1 MiB.
        public var maximumValueBytes = 1 << 20
        /// The largest record, in bytes of JSON. A larger one is cut, and so is one that does not fit into a request
        /// with its topic and tags, or into 30 % of the memory limit.
        ///
        /// Range: 32 KiB to 10 MiB.
        public var maximumRecordBytes = 3 << 20
        /// How deep nested dictionaries become fields. Deeper ones become JSON text.
        ///
        /// Range: 0 to 32.
        public var maximumNesting = 8

        /// The defaults.
        public init() {}
    }
}
