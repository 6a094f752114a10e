// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What the handlers find out about a delivery while they serve it.
final class DeliveryDraft: Sendable {
    struct State: Sendable {
        /// Whether the request is a delivery at all.
        var isDelivery = false
        var project = ""
        var logstore = ""
        var rawBytes = 0
        var wireBytes = 0
        var compression = Compression.none.rawValue
        var logCount = 0
        var batch = ""
        var isStored = false
        /// Why the store did not take it, also where the answer is not heard.
        var refusal: ServiceError?
    }

    private let state = Mutex(State())

    func update(_ change: (inout sending State) -> Void) { self.state.withLock { change(&$0) } }

    /// The delivery, if it is one, once it is answered.
    func delivery(receivedAt: Int64, client: String, microseconds: Int, error: ServiceError?, status: Int) -> Delivery?
    {
        let state = self.state.withLock { $0 }
        guard state.isDelivery else { return nil }
        let error = error ?? state.refusal
        return Delivery(
            receivedAt: receivedAt,
            project: state.project,
            logstore: state.logstore,
            client: client,
            status: status,
            code: error?.code ?? "",
            message: error?.message ?? "",
            rawBytes: state.rawBytes,
            wireBytes: state.wireBytes,
            compression: state.compression,
            logCount: state.logCount,
            microseconds: microseconds,
            batch: state.batch,
            isStored: state.isStored
        )
    }
}

/// Tells the attempts to deliver the same logs by their bytes: a client that tries again sends the same.
enum BatchFingerprint {
    /// 16 hexadecimal digits.
    static func of(_ body: [UInt8]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(body.count)
        body.withUnsafeBytes { bytes in
            var offset = 0
            while offset + 8 <= bytes.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                hash = Self.mixed(hash ^ word)
                offset += 8
            }
            while offset < bytes.count {
                hash = Self.mixed(hash ^ UInt64(bytes[offset]))
                offset += 1
            }
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        let product = value &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 29
    }
}
