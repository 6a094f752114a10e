// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Tracing

/// A tracer that gives spans their ids and passes them on, and records nothing.
///
/// That is all that logs need to be found by trace. To have the spans too, bootstrap a tracer that exports them in its place;
/// nothing else changes, because everything else goes by the `ServiceContext`.
struct PropagatingTracer: Tracer {
    /// Reads `traceparent` from what came.
    func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout ServiceContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let header = extractor.extract(key: TraceParent.header, from: carrier) else { return }
        if let trace = TraceContext(traceparent: header) { context.trace = trace }
    }

    /// Writes `traceparent` to what goes out.
    func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let trace = context.trace else { return }
        injector.inject(trace.traceparent, forKey: TraceParent.header, into: &carrier)
    }

    /// Starts a span: below that of `context`, or a trace's first.
    func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> ServiceContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> PropagatedSpan {
        var context = context()
        context.trace = context.trace?.child() ?? TraceContext()
        return PropagatedSpan(context: context)
    }

    /// There is nothing to flush.
    func forceFlush() {}
}

/// A span of which nothing is kept but where it stands.
struct PropagatedSpan: Span {
    let context: ServiceContext

    var isRecording: Bool { false }

    var operationName: String {
        get { "" }
        nonmutating set {}
    }

    var attributes: SpanAttributes {
        get { [:] }
        nonmutating set {}
    }

    func setStatus(_ status: SpanStatus) {}

    func addEvent(_ event: SpanEvent) {}

    func addLink(_ link: SpanLink) {}

    func recordError<Instant: TracerInstant>(
        _ error: any Error,
        attributes: SpanAttributes,
        at instant: @autoclosure () -> Instant
    ) {}

    func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {}
}
