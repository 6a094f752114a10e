// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRPCCore

/// So many of something.
struct StockItem: Codable, Sendable, Equatable {
    var name: String
    var count: Int
}

/// The request for all there is.
struct Everything: Codable, Sendable {}

/// Messages as JSON. gRPC leaves it to client and server how messages are written.
struct JSONCoder<Message: Codable & Sendable>: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: Message) throws -> Bytes {
        Bytes(try JSONEncoder().encode(message))
    }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> Message {
        do {
            return try bytes.withUnsafeBytes { try JSONDecoder().decode(Message.self, from: Data($0)) }
        } catch {
            throw RPCError(code: .invalidArgument, message: "the message is not understood", cause: error)
        }
    }
}
