//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#if SwiftLog
public import Logging
#endif

/// Where logs go and how; three values are enough to start.
///
/// ```swift
/// var configuration = WebTrackingConfiguration(
///     endpoint: "cn-hangzhou.log.aliyuncs.com", project: "my-project", logstore: "app")
/// configuration.tags = ["service": "checkout", "env": "prod"]
/// ```
///
/// Nothing is checked until a ``WebTrackingProducer`` is made, whose initialiser throws ``ConfigurationError``.
public struct WebTrackingConfiguration: Sendable, Equatable {
    /// The service's endpoint: `cn-hangzhou.log.aliyuncs.com` with an optional scheme and port, the name of a region
    /// (`cn-hangzhou`), a custom domain, or a loopback address.
    ///
    /// Requests go over https unless `http://` is written out, which for another machine needs ``allowsPlainHTTP``. The project becomes the first label of the host, except
    /// where the host is a custom domain or an address, which stands for one project by itself.
    public var endpoint: String
    /// Whether logs may go over plain http to another machine, where everybody on the way can read and change them.
    ///
    /// Without it, an ``endpoint`` with `http://` has to be a loopback address: `localhost`, 127.0.0.0/8 or `[::1]`.
    public var allowsPlainHTTP = false
    /// The project: 3 to 63 lower-case letters, digits and hyphens.
    public var project: String
    /// The logstore: 2 to 63 lower-case letters, digits, hyphens and underscores. Web tracking must be on for it,
    /// unless requests are signed.
    public var logstore: String
    /// The source of all records, at most 128 bytes; the host's name if `nil`.
    public var source: String?
    /// Tags that every request carries. Keys have 1 to 128 bytes and none of the service's reserved names; values have at
    /// most 1024 bytes.
    public var tags: [String: String] = [:]
    /// Which topic a record belongs to.
    public var topic = TopicRule.fixed("")
    /// Metadata keys whose values become tags instead of fields.
    ///
    /// All records of a request share their tags, so choose keys of which there are few values. A value longer than 128
    /// bytes, and one that is a container, stays a field. A key cannot be among ``tags`` or the topic's, too.
    public var promotedTags: [String] = []
    /// How many topics, counted with their promoted tags, are buffered at once (1 to 100,000). Records beyond them stay
    /// in the base topic, with what would have been promoted among their fields; idle topics make room.
    public var maximumTopics = 1024
    /// How long a topic has no records before its buffer is given up (1 second to a day); the base topic stays.
    public var idleTopicTimeout = Duration.seconds(60)
    /// How request bodies are compressed.
    public var compression = Compression.lz4
    /// The bytes that may be held in memory: buffered, sealed and in flight (at least 1 MiB).
    ///
    /// The compressed copies of requests on their way count, too, and may exceed the limit by one batch each.
    ///
    /// When it fills, records are dropped and counted, and the least severe first: `trace` has 60 % of it, `debug` 70 %,
    /// `info` 80 %, `notice` 85 %, `warning` 90 %, `error` and `critical` all of it.
    public var memoryLimit = 64 << 20
    #if AsyncHTTPClient
    /// The HTTP proxy that the producer's own transport sends through; `nil`, the default, for none, whatever the
    /// environment says. A transport that you make has settings of its own.
    public var proxy: Proxy?
    #endif
    #if SignedPutLogs
    /// In whose name records are sent.
    public var authentication = Authentication.anonymous
    #endif
    /// Which fields records have, and their names.
    public var fields = FieldMapping()
    /// When records become a request.
    public var batching = Batching()
    /// How requests are sent and repeated.
    public var delivery = Delivery()
    /// The sizes that records are held to.
    public var limits = Limits()
    /// What accepted records survive. Anything but ``Durability/memory`` needs a directory in ``spool``.
    public var durability = Durability.memory
    /// Where records live that are to survive the process.
    public var spool = Spool()
    /// The level of handlers that this producer makes.
    public var logLevel = LogLevel.info
    /// The levels that outrank those of the code, by the beginning of a logger's label in whole components between dots: the
    /// longest that fits counts, and the empty one fits all. ``WebTrackingProducer/logLevelOverrides`` changes them later.
    public var logLevelOverrides: [String: LogLevel] = [:]
    /// Which metadata is masked, left out or replaced before it leaves the caller's thread; by default what goes by the name
    /// of a secret.
    public var redaction = Redaction.standard
    /// Which records are left out because there are too many like them; by default none.
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
        /// The size at which a batch is normally sent, before compression, in bytes (4 KiB to 10 MiB).
        ///
        /// What exceeds ``maximumRequestBytes`` is of no effect. A topic that lags behind sends larger ones, up to ``maximumRequestBytes``.
        public var targetBytes = 256 << 10
        /// The size that no request exceeds, before compression, in bytes of JSON (64 KiB to 10 MiB).
        ///
        /// The service's pages name 3 MB and, newer, 10 MB.
        public var maximumRequestBytes = 3 << 20
        /// How many records a request has at most (1 to 4096, a limit of the service).
        public var maximumRecords = 4096
        /// How long a record waits for company (0 to an hour).
        public var linger = Duration.seconds(2)
        /// Records of this level and above are sent without waiting; `nil` for none.
        public var urgentLevel: LogLevel? = .error

        /// The defaults.
        public init() {}
    }

    /// How requests are sent and repeated.
    public struct Delivery: Sendable, Equatable {
        /// How many requests, of different topics, are on their way at once (1 to 1024).
        public var maximumConcurrentRequests = 8
        /// How long one request may take (100 ms to 10 minutes).
        public var requestTimeout = Duration.seconds(15)
        /// The wait after a failed request: at random between zero and a ceiling that doubles from here …
        public var initialBackoff = Duration.milliseconds(100)
        /// … to here.
        public var maximumBackoff = Duration.seconds(30)
        /// The ceilings of the wait after an exceeded write quota; at least half of it is waited.
        public var initialQuotaBackoff = Duration.seconds(1)
        /// The largest ceiling of the wait after an exceeded write quota.
        public var maximumQuotaBackoff = Duration.seconds(60)
        /// The ceilings of the wait after 401 and 404; at least half of it is waited.
        public var initialRefusalBackoff = Duration.seconds(5)
        /// The largest ceiling of the wait after 401 and 404.
        public var maximumRefusalBackoff = Duration.seconds(60)
        /// For how long 401 and 404 are retried; after that records are dropped until the service takes some again.
        ///
        /// Switching web tracking on takes about a minute to have effect.
        public var refusalPatience = Duration.seconds(600)
        /// How old records get before they are dropped.
        public var maximumAge = Duration.seconds(86_400)
        /// How long the final flush of a ServiceLifecycle service may take.
        public var shutdownTimeout = Duration.seconds(10)

        /// The defaults.
        public init() {}
    }

    /// The sizes that records are held to.
    public struct Limits: Sendable, Equatable {
        /// The longest value, in bytes of UTF-8 (256 to 1 MiB, a limit of the service).
        public var maximumValueBytes = 1 << 20
        /// The largest record, in bytes of JSON (32 KiB to 10 MiB). A larger one is cut, as is one that does not fit into a
        /// request, or into 30 % of the memory limit.
        public var maximumRecordBytes = 3 << 20
        /// Dictionaries nested deeper than this become JSON text (0 to 32).
        public var maximumNesting = 8

        /// The defaults.
        public init() {}
    }
}
