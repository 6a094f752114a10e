// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import SwiftASN1
import Synchronization
import WebTracking
import X509

/// What a server's certificate says of itself.
struct ShownCertificate: Equatable {
    var issuer: String
    var from: Date
    var until: Date

    /// A certificate that ends within so many days should have been renewed: the usual tools do that a month ahead.
    private static let days = 14.0

    /// A row about TLS with what the certificate says.
    func added(to row: DoctorRow, now: Date) -> DoctorRow {
        let until = Self.day(self.until)
        guard row.state == .ok else {
            let shown = "issued by \(self.issuer), valid from \(Self.day(self.from)) to \(until)"
            return DoctorRow(row.check, row.state, "\(row.finding) (\(shown))", suggestion: row.suggestion)
        }
        let isEnding = self.until.timeIntervalSince(now) < Self.days * 86_400
        return DoctorRow(
            row.check,
            isEnding ? .warning : .ok,
            "\(row.finding): issued by \(self.issuer), valid until \(until)",
            suggestion: isEnding ? "it ends soon: has its renewal failed?" : nil
        )
    }

    private static func day(_ date: Date) -> String { date.formatted(.iso8601.year().month().day()) }

    /// Connects, reads the certificate, and closes the connection. `nil` if there is none.
    static func look(at host: String, port: Int) async -> ShownCertificate? {
        let shown = Mutex<[UInt8]?>(nil)
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        // Whoever vouches for it was asked already, and nothing is sent here. Its own file may be what is wrong.
        configuration.trustRoots = .certificates([])
        guard let context = try? NIOSSLContext(configuration: configuration) else { return nil }
        let address = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        let isAddress = (try? SocketAddress(ipAddress: address, port: port)) != nil
        let channel = try? await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(2))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = try NIOSSLClientHandler(
                        context: context,
                        // NIOSSL refuses an IP address as a server name.
                        serverHostname: isAddress ? nil : address,
                        customVerificationCallback: { certificates, promise in
                            let bytes = try? certificates.first?.toDERBytes()
                            shown.withLock { $0 = bytes }
                            // That is all that is needed, so end the handshake.
                            promise.succeed(.failed)
                        }
                    )
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(host: address, port: port).get()
        guard let channel else { return nil }
        // The connect timeout ends with the TCP connection; this one bounds the handshake.
        let limit = channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
        try? await channel.closeFuture.get()
        limit.cancel()
        return shown.withLock { $0 }.flatMap { try? Certificate(derEncoded: $0) }.map { certificate in
            ShownCertificate(
                issuer: "\(certificate.issuer)",
                from: certificate.notValidBefore,
                until: certificate.notValidAfter
            )
        }
    }
}
