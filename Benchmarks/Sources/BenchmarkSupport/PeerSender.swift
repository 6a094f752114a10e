// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import CLZ4Sink
import WebTracking

/// Sends a peer's batches as this library's are sent, through the same transport and with LZ4, so that what differs is
/// how records come to be batches.
struct PeerSender: Sendable {
    let transport: any WebTrackingTransport
    /// The sink's, on loopback.
    let port: Int

    /// Sends records, each with a comma and a line feed behind it; `nil` if they did not arrive.
    func send(_ records: [UInt8]) async -> (raw: Int, wire: Int)? {
        let raw = Array("{\"__logs__\":[".utf8) + records.dropLast(2) + Array("]}".utf8)
        let body = Self.compressed(raw)
        let request = TransportRequest(
            isSecure: false,
            host: "127.0.0.1",
            port: self.port,
            path: "/logstores/benchmark/track",
            headers: [
                (name: "Content-Type", value: "application/json"),
                (name: "x-log-apiversion", value: "0.6.0"),
                (name: "x-log-bodyrawsize", value: String(raw.count)),
                (name: "x-log-compresstype", value: "lz4"),
            ],
            body: body,
            timeout: .seconds(15)
        )
        let response = try? await self.transport.send(request)
        return response?.status == 200 ? (raw.count, body.count) : nil
    }

    private static func compressed(_ raw: [UInt8]) -> [UInt8] {
        let bound = LZ4_compressBound(Int32(raw.count))
        return Array(unsafeUninitializedCapacity: Int(bound)) { target, count in
            raw.withUnsafeBytes { source in
                let bytes = source.assumingMemoryBound(to: CChar.self)
                // The target has what the bound asks for, so this cannot fail.
                target.withMemoryRebound(to: CChar.self) {
                    count = Int(LZ4_compress_default(bytes.baseAddress, $0.baseAddress, Int32(raw.count), bound))
                }
            }
        }
    }
}
