// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The parts of a producer, put together from its configuration.
struct ProducerParts {
    let pipeline: RecordPipeline
    let table: TopicTable
    let budget: ByteBudget
    let slots: RequestSlots
    let maintenance: SpoolMaintenance?
    init(
        configuration: WebTrackingConfiguration,
        transport: any WebTrackingTransport,
        diagnostics sink: DiagnosticHandler.Sink,
        clock: any ProducerClock,
        observer: any DeliveryObserver,
        random: @escaping @Sendable () -> Double,
        executor: (any TaskExecutor)?,
        exchangeClock: (any ProducerClock)?,
        process: ProcessIdentity
    ) throws {
        let diagnostics = sink.report
        let endpoint = try Endpoint.parse(configuration.endpoint)
        let heap = HeapHome(limit: configuration.memoryLimit)
        let budget = heap.budget
        // The topics' workers use the pipeline and the table, and these use the workers. The links break this circle.
        let links = PartLinks()
        let operation = Self.operation(of: configuration, clock: clock, diagnostics: diagnostics)
        let delivery = DeliveryContext(
            clock: clock,
            transport: operation.transport(over: transport),
            requests: RequestFactory(configuration, endpoint: endpoint, operation: operation),
            retryPolicy: RetryPolicy(configuration.delivery),
            slots: RequestSlots(count: configuration.delivery.maximumConcurrentRequests),
            exchangeDeadline: exchangeClock.map { exchangeClock in
                ExchangeDeadline(
                    time: configuration.delivery.requestTimeout + ExchangeDeadline.grace,
                    limit: configuration.delivery.maximumConcurrentRequests,
                    clock: exchangeClock,
                    executor: executor
                )
            },
            budget: budget,
            destination: Destination(),
            fields: configuration.fields,
            diagnostics: diagnostics,
            observer: observer,
            random: random,
            idleTimeout: configuration.idleTopicTimeout,
            announcementInterval: max(configuration.batching.linger, .seconds(1)),
            announcement: { links.pipeline?.announcement(of: $0) },
            evict: { links.table?.evict(atMost: $0) },
            retire: { links.table?.retire($0) ?? true }
        )
        func identity() -> UInt64 {
            // A double between 0 and 1 has 53 random bits, so 64 take two of them.
            UInt64(random() * 4_294_967_296) << 32 | UInt64(random() * 4_294_967_296)
        }
        let destination = "\(configuration.project)/\(configuration.logstore)"
        let source = configuration.source ?? ""
        let maker: SpoolProcess? =
            configuration.spool.tellsOfItself
            ? SpoolProcess(
                process: ProcessIdentity(pid: process.pid, host: source.isEmpty ? process.host : source),
                startedAt: clock.wallTime(),
                destination: destination,
                topic: configuration.topic.base
            ) : nil
        let spool = configuration.spoolDirectory.map { directory in
            SpoolStore(
                directory: directory,
                destination: destination,
                access: SpoolAccess(configuration.spool.permits),
                maximumBytes: configuration.spool.bound,
                isRescue: configuration.spool.isRescue,
                process: maker,
                identity: identity(),
                heap: heap,
                clock: clock,
                worker: SpoolWorker("files", isInline: executor != nil),
                spill: { links.table?.spill(into: $0, isForced: $1, isOver: $2) ?? 0 },
                diagnostics: diagnostics
            )
        }
        let context = QueueContext(
            clock: clock,
            source: configuration.source ?? HostName.current,
            staticTags: configuration.tags.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
            sealPolicy: SealPolicy(configuration.batching),
            heap: heap,
            home: spool,
            sequenceName: configuration.fields.includesSequence ? configuration.fields.sequence : nil,
            batchIdentity: configuration.fields.includesBatchID ? identity() : nil,
            executor: executor,
            startWorker: { [isRescue = configuration.spool.isRescue] queue in
                let isPatient = isRescue && queue.isOfEarlierProcesses
                await TopicActor(queue: queue, context: delivery, isPatient: isPatient).run()
            },
            repetition: { links.pipeline?.repetition(of: $0) }
        )
        let table = TopicTable(
            base: TopicKey(topic: configuration.topic.base),
            maximum: configuration.maximumTopics,
            context: context
        )
        let router = TopicRouter(rule: configuration.topic, promotedTags: configuration.promotedTags, table: table)
        let encoder = RecordEncoder(
            mapping: configuration.fields,
            promoted: router.promotedKeys,
            limits: RecordEncoder.Limits(
                valueBytes: configuration.limits.maximumValueBytes,
                // The queue writes the sequence number, with its name, before the encoder's part.
                recordBytes: configuration.largestRecord - context.numbers.longestOpening,
                nesting: configuration.limits.maximumNesting
            )
        )
        let pipeline = RecordPipeline(
            router: router,
            encoder: encoder,
            policy: LivePolicy(redaction: configuration.redaction, sampling: configuration.sampling),
            levels: LogLevelTable(configuration.logLevelOverrides),
            clock: clock,
            reportForked: sink.reportForked
        )
        links.connect(table: table, pipeline: pipeline)
        self.pipeline = pipeline
        self.table = table
        self.budget = budget
        self.slots = delivery.slots
        let tell: @Sendable (UnexpectedExit) -> Bool = { exit in links.pipeline?.tell(of: exit) ?? false }
        self.maintenance = spool.flatMap { store in
            table.recovery.map { queue in
                SpoolMaintenance(
                    store: store,
                    recovery: SpoolRecovery(
                        store: store,
                        queue: queue,
                        maximumAge: configuration.spool.isRescue ? nil : configuration.spool.maximumAge,
                        access: SpoolAccess(configuration.spool.permits, isRescue: configuration.spool.isRescue),
                        own: { links.table?.spooled ?? [] },
                        evictOwn: { links.table?.evict(atMost: $0) },
                        tell: configuration.spool.tellsOfItself ? tell : nil,
                        timeField: configuration.fields.time,
                        worker: SpoolWorker("recovery", isInline: executor != nil)
                    ),
                    syncInterval: configuration.durability.syncInterval,
                    executor: executor
                )
            }
        }
    }

    /// How batches are handed to the service.
    static func operation(
        of configuration: WebTrackingConfiguration,
        clock: any ProducerClock,
        diagnostics: @escaping @Sendable (ProducerDiagnostic) -> Void
    ) -> any WriteOperation {
        #if SignedPutLogs
        if let signing = configuration.authentication.signing {
            return SignedPutLogs(
                signing,
                project: configuration.project,
                timeField: configuration.fields.time,
                timeout: configuration.delivery.requestTimeout,
                clock: clock,
                diagnostics: diagnostics
            )
        }
        #endif
        return WebTrackingOperation()
    }
}

/// The other parts that workers use. The references are weak, so that a producer without an owner is released, with its
/// workers.
private final class PartLinks: Sendable {
    private struct Parts {
        weak var table: TopicTable?
        weak var pipeline: RecordPipeline?
    }

    private let parts = Lock(Parts())

    func connect(table: TopicTable, pipeline: RecordPipeline) {
        self.parts.withLock { $0 = Parts(table: table, pipeline: pipeline) }
    }

    var table: TopicTable? { self.parts.withLock { $0.table } }
    var pipeline: RecordPipeline? { self.parts.withLock { $0.pipeline } }
}

extension RequestFactory {
    init(_ configuration: WebTrackingConfiguration, endpoint: Endpoint, operation: any WriteOperation) {
        self.init(
            isSecure: endpoint.isSecure,
            host: endpoint.host(project: configuration.project),
            port: endpoint.port,
            logstore: configuration.logstore,
            operation: operation,
            compression: configuration.compression,
            timeout: configuration.delivery.requestTimeout
        )
    }
}

extension RetryPolicy {
    init(_ delivery: WebTrackingConfiguration.Delivery) {
        self.init(
            transient: .init(initial: delivery.initialBackoff, maximum: delivery.maximumBackoff),
            throttled: .init(initial: delivery.initialQuotaBackoff, maximum: delivery.maximumQuotaBackoff),
            refused: .init(initial: delivery.initialRefusalBackoff, maximum: delivery.maximumRefusalBackoff),
            refusalPatience: delivery.refusalPatience,
            maximumAge: delivery.maximumAge
        )
    }
}

extension SealPolicy {
    init(_ batching: WebTrackingConfiguration.Batching) {
        self.init(
            targetBytes: batching.targetBytes,
            maximumBytes: batching.maximumRequestBytes,
            maximumRecords: batching.maximumRecords,
            linger: batching.linger,
            urgentRank: batching.urgentLevel?.rank ?? Int.max
        )
    }
}
