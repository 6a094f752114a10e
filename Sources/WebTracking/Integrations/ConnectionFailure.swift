// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if AsyncHTTPClient

import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Makes errors of connections readable.
///
/// AsyncHTTPClient does not pass on why a certificate was refused. So it is fetched once more, for its dates alone, by a
/// connection over which nothing is sent; not more often than every ``interval``.
final class ConnectionFailure: Sendable {
    private static let interval = Duration.seconds(30)

    private let clock: any ProducerClock
    private let proxy: ProxyServer?
    private let look = Lock<(at: MonotonicInstant, certificate: TLSFailure.Certificate)?>(nil)

    init(clock: any ProducerClock, proxy: ProxyServer?) {
        self.clock = clock
        self.proxy = proxy
    }

    /// `error` in words that say what to do; itself if there is nothing to add.
    func explained(_ error: any Error, of request: TransportRequest) async -> any Error {
        // What goes wrong before the handshake comes as the trouble of an address.
        let ofAddresses = (error as? NIOConnectionError)?.connectionErrors.map(\.error) ?? []
        switch ofAddresses.first(where: Self.isOfTLS) ?? error {
        case let error where Self.isOfTLS(error):
            let words = String(describing: error)
            let certificate = TLSFailure.isTrustError(words) ? await self.certificate(of: request) : .unknown
            let line = TLSFailure.line(words, host: request.host, certificate: certificate, machine: .present)
            return TransportError.connectionFailed(line)
        case let error as HTTPClientError:
            guard let proxy = self.proxy else { return error }
            if error == .proxyAuthenticationRequired {
                return TransportError.connectionFailed("the proxy \(proxy) asks for other credentials (407)")
            }
            if error == .invalidProxyResponse || error == .httpProxyHandshakeTimeout {
                return TransportError.connectionFailed("the proxy \(proxy) does not connect to \(request.host)")
            }
            return error
        default: return error
        }
    }

    private static func isOfTLS(_ error: any Error) -> Bool {
        error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError
    }

    private func certificate(of request: TransportRequest) async -> TLSFailure.Certificate {
        // Through a proxy it would be a request of its own.
        guard self.proxy == nil else { return .unknown }
        let now = self.clock.now()
        let (known, isDue) = self.look.withLock { look in
            if let last = look, now < last.at + Self.interval { return (last.certificate, false) }
            look = (now, .unknown)
            return (TLSFailure.Certificate.unknown, true)
        }
        guard isDue else { return known }
        let found = await Self.fetch(request.host, port: request.port ?? 443, wallTime: self.clock.wallTime())
        self.look.withLock { $0 = (now, found) }
        return found
    }

    /// The certificate's dates, of a connection that goes no further.
    private static func fetch(_ host: String, port: Int, wallTime: Int64) async -> TLSFailure.Certificate {
        let box = LookupResult()
        guard let context = try? NIOSSLContext(configuration: .forLogs()) else { return .unknown }
        let address = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        let isAddress = (try? SocketAddress(ipAddress: address, port: port)) != nil
        guard let group = try? EventLoops.group() else { return .unknown }
        let channel = try? await ClientBootstrap(group: group)
            .connectTimeout(.seconds(2))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = try NIOSSLClientHandler(
                        context: context,
                        serverHostname: isAddress ? nil : address,
                        customVerificationCallback: { certificates, promise in
                            if let leaf = certificates.first { box.note(leaf, wallTime: wallTime) }
                            // Enough has been seen.
                            promise.succeed(.failed)
                        }
                    )
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(host: address, port: port).get()
        guard let channel else { return .unknown }
        let limit = channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
        // The handshake fails in any case, which closes the channel.
        try? await channel.closeFuture.get()
        limit.cancel()
        return box.value
    }

    private final class LookupResult: Sendable {
        private let state = Lock<TLSFailure.Certificate>(.unknown)

        var value: TLSFailure.Certificate { self.state.withLock { $0 } }

        func note(_ leaf: NIOSSLCertificate, wallTime: Int64) {
            let now = wallTime / 1_000_000_000
            let (from, until) = (Int64(leaf.notValidBefore), Int64(leaf.notValidAfter))
            self.state.withLock { $0 = until < now ? .expired(until) : from > now ? .notYetValid(from) : .valid }
        }
    }
}

extension TLSFailure.Machine {
    /// Where the TLS library looks for certificate authorities on Linux.
    private static let files = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]

    /// This machine as it is now.
    static var present: TLSFailure.Machine {
        #if os(Linux)
        let hasAuthorities = self.files.contains { access($0, R_OK) == 0 }
        #else
        let hasAuthorities = true
        #endif
        return TLSFailure.Machine(
            authoritiesFile: TLSConfiguration.authoritiesFile,
            searchedPaths: self.files,
            hasAuthorities: hasAuthorities
        )
    }
}

#endif
