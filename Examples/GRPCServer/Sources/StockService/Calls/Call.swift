// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import Instrumentation
import Logging

/// The call that the current task works for.
struct Call: Sendable {
    /// The client's `x-request-id`, or one that was made for it.
    var id: String
    var service: String
    var method: String

    /// The key of the metadata of requests and answers.
    static let idKey = "x-request-id"

    init(_ descriptor: MethodDescriptor, metadata: Metadata) {
        self.id = metadata[stringValues: Self.idKey].first { _ in true } ?? Self.makeID()
        self.service = descriptor.service.fullyQualifiedService
        self.method = descriptor.method
    }

    private static func makeID() -> String {
        String(UInt64.random(in: 0...UInt64.max), radix: 16)
    }
}

extension ServiceContext {
    private enum CallKey: ServiceContextKey {
        typealias Value = Call
        static let nameOverride: String? = "call"
    }

    /// The call that the current task works for.
    var call: Call? {
        get { self[CallKey.self] }
        set { self[CallKey.self] = newValue }
    }
}

extension Logger.MetadataProvider {
    /// Puts the call on every line that is logged for it, whoever logs it.
    static let call = Logger.MetadataProvider {
        guard let call = ServiceContext.current?.call else { return [:] }
        return ["request.id": "\(call.id)", "rpc.service": "\(call.service)", "rpc.method": "\(call.method)"]
    }
}
