// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import Testing
import Tracing

@testable import OrderService

@Suite struct MetadataProviderTests {
    @Test func outsideOfARequestThereIsNothing() {
        #expect(Logger.MetadataProvider.trace { PropagatingTracer() }.get().isEmpty)
    }

    @Test func theLinesOfASpanHaveItsIDs() throws {
        let tracer = PropagatingTracer()
        let provider = Logger.MetadataProvider.trace { tracer }
        let outer = tracer.startSpan("outer", context: .topLevel)
        let inner = tracer.startSpan("inner", context: outer.context)
        let metadata = ServiceContext.$current.withValue(inner.context) { provider.get() }
        let trace = try #require(inner.context.trace)
        #expect(metadata == ["traceID": "\(trace.traceID)", "spanID": "\(trace.spanID)"])
        #expect(trace.traceID == outer.context.trace?.traceID)
        #expect(trace.spanID != outer.context.trace?.spanID)
    }

    @Test func anotherTracerCanTakeItsPlace() {
        // It keeps its ids in its own way, which nobody here knows.
        struct OtherTracer: Instrument {
            enum Key: ServiceContextKey {
                typealias Value = [String]
            }

            func extract<Carrier, Extract: Extractor>(
                _ carrier: Carrier,
                into context: inout ServiceContext,
                using extractor: Extract
            ) where Extract.Carrier == Carrier {}

            func inject<Carrier, Inject: Injector>(
                _ context: ServiceContext,
                into carrier: inout Carrier,
                using injector: Inject
            ) where Inject.Carrier == Carrier {
                guard let ids = context[Key.self] else { return }
                injector.inject("vendor=1", forKey: "tracestate", into: &carrier)
                injector.inject("00-\(ids[0])-\(ids[1])-01", forKey: "Traceparent", into: &carrier)
            }
        }
        let ids = [String(repeating: "a", count: 32), String(repeating: "b", count: 16)]
        var context = ServiceContext.topLevel
        context[OtherTracer.Key.self] = ids
        let provider = Logger.MetadataProvider.trace { OtherTracer() }
        let metadata = ServiceContext.$current.withValue(context) { provider.get() }
        #expect(metadata == ["traceID": "\(ids[0])", "spanID": "\(ids[1])"])
    }

    @Test func theContextIsPassedOn() throws {
        struct Headers: Injector, Extractor {
            func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
                carrier[key] = value
            }
            func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
        }
        let tracer = PropagatingTracer()
        let span = tracer.startSpan("call", context: .topLevel)
        var headers: [String: String] = [:]
        tracer.inject(span.context, into: &headers, using: Headers())
        var received = ServiceContext.topLevel
        tracer.extract(headers, into: &received, using: Headers())
        #expect(received.trace == span.context.trace)
        #expect(headers.count == 1)
    }
}
