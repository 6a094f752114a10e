// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import Tracing

extension Logger.MetadataProvider {
    /// Puts the trace and the request that the current task works for on every line, whoever logs it.
    ///
    /// It works with any tracer for W3C Trace Context. One that comes with a metadata provider of its own has a cheaper way,
    /// because it need not write a header and read it.
    static let trace = Logger.MetadataProvider.trace { InstrumentationSystem.instrument }

    /// The same, with the tracer in the caller's hands.
    static func trace(from tracer: @escaping @Sendable () -> any Instrument) -> Logger.MetadataProvider {
        Logger.MetadataProvider {
            guard let context = ServiceContext.current else { return [:] }
            var metadata: Logger.Metadata = [:]
            if let trace = TraceParent.header(of: context, from: tracer()).flatMap(TraceContext.init(traceparent:)) {
                metadata["traceID"] = "\(trace.traceID)"
                metadata["spanID"] = "\(trace.spanID)"
            }
            if let id = context.requestID { metadata["request.id"] = "\(id)" }
            return metadata
        }
    }
}
