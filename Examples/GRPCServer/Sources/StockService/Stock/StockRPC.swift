// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRPCCore

/// The service `shop.Stock` with its two methods, as protoc's plugin would write it from a .proto file.
///
/// It is written by hand, with messages in JSON, so that the example builds without protoc. Nothing about logging depends on
/// that.
struct StockRPC: RegistrableRPCService {
    static let service = ServiceDescriptor(fullyQualifiedService: "shop.Stock")
    /// Takes something out: one request, one answer.
    static let take = MethodDescriptor(service: service, method: "Take")
    /// Lists what there is: one request, many answers.
    static let list = MethodDescriptor(service: service, method: "List")

    var room: StockRoom

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        let room = self.room
        router.registerHandler(
            forMethod: Self.take,
            deserializer: JSONCoder<StockItem>(),
            serializer: JSONCoder<StockItem>()
        ) { request, _ in
            let wanted = try await ServerRequest(stream: request).message
            let left = try await room.take(wanted.count, of: wanted.name)
            return StreamingServerResponse(single: ServerResponse(message: left))
        }
        router.registerHandler(
            forMethod: Self.list,
            deserializer: JSONCoder<Everything>(),
            serializer: JSONCoder<StockItem>()
        ) { _, _ in
            StreamingServerResponse { writer in
                for item in await room.items { try await writer.write(item) }
                return [:]
            }
        }
    }
}
