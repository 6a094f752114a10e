// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Tracing

/// Asks a tracer for the `traceparent` of a context.
///
/// Each tracer keeps its ids in the context in a way of its own, but every one for W3C Trace Context can write this header.
enum TraceParent {
    static let header = "traceparent"

    /// The header that `tracer` would send from `context`; `nil` outside a trace.
    static func header(of context: ServiceContext, from tracer: any Instrument) -> String? {
        var header: String?
        tracer.inject(context, into: &header, using: HeaderInjector())
        return header
    }

    /// Keeps the one header that is looked for.
    private struct HeaderInjector: Injector {
        func inject(_ value: String, forKey key: String, into header: inout String?) {
            if key.lowercased() == TraceParent.header { header = value }
        }
    }
}
