// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

/// PutLogs with signature V4: batches as a `LogGroup` of Protocol Buffers.
///
/// The service documents no other format here. (One official client can send JSON, under member names that have changed
/// over time, and no page says how the service reads it.) Batches stay JSON until they are sent: so web tracking needs
/// no conversion, and a spool holds the same whatever sends it.
struct SignedPutLogs: WriteOperation {
    private let signing: Signing
    private let time: ServerTime
    private let credentials: CredentialsSource
    /// The name of the field that has the time of an event.
    private let timeField: String
    private let project: String

    init(
        _ signing: Signing,
        project: String,
        timeField: String,
        timeout: Duration,
        clock: any ProducerClock,
        diagnostics: @escaping @Sendable (ProducerDiagnostic) -> Void
    ) {
        let time = ServerTime(clock: clock)
        self.signing = signing
        self.time = time
        self.timeField = timeField
        self.project = project
        self.credentials = CredentialsSource(
            provider: signing.provider,
            clock: clock,
            time: time,
            timeout: timeout,
            diagnostics: diagnostics
        )
    }

    /// Balanced over the shards.
    var path: String { "shards/lb" }
    var contentType: String { "application/x-protobuf" }

    var isVerbatim: Bool { false }

    func body(from batch: UnsafeRawBufferPointer) -> [UInt8]? {
        var encoder = LogGroupEncoder(timeField: self.timeField, now: self.time.now, offset: self.time.offset)
        // This never fails for a batch of this library. If it did, the service would refuse the body, and its records
        // would be counted.
        return encoder.encode(batch)
    }

    func transport(over transport: any WebTrackingTransport) -> any WebTrackingTransport {
        SigningTransport(
            inner: transport,
            credentials: self.credentials,
            time: self.time,
            region: self.signing.region,
            project: self.project
        )
    }
}

#endif
