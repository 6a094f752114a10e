// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if AsyncHTTPClient

import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL
import WebTrackingPlatform

/// Explains connection errors in words.
///
/// AsyncHTTPClient does not say why it refused a certificate. So this type connects once more, reads the certificate's
/// dates and sends no request. It does so at most once in ``interval``.
final class ConnectionFailure: Sendable {
    private static let interval = Duration.seconds(30)

    private let clock: any ProducerClock
    private let proxy: ProxyServer?
    private let look = Lock<(at: MonotonicInstant, certificate: TLSFailure.Certificate)?>(nil)

    init(clock: any ProducerClock, proxy: ProxyServer?) {
        self.clock = clock
        self.proxy = proxy
    }

    /// Returns an error with a text that says what to do, or `error` itself if there is nothing to add.
    func explained(_ error: any Error, of request: TransportRequest) async -> any Error {
        // NIO puts an error from before the handshake into the list of errors by address.
        let ofAddresses = (error as? NIOConnectionError)?.connectionErrors.map(\.error) ?? []
        // A machine without IPv6 fails there first, which is not what the user has to know.
        let ofAddress =
            ofAddresses.first(where: Self.isOfTLS)
            ?? ofAddresses.first { !Self.isWithoutRoute($0) }
            ?? ofAddresses.first
        switch ofAddress ?? error {
        case let error where Self.isOfTLS(error):
            let words = String(describing: error)
            let certificate = TLSFailure.isTrustError(words) ? await self.certificate(of: request) : .unknown
            let line = TLSFailure.line(words, host: request.host, certificate: certificate, machine: .present)
            return TransportError.connectionFailed(line)
        case let error as HTTPClientError where error == .proxyAuthenticationRequired:
            return TransportError.connectionFailed("\(self.peer(of: request)) asks for other credentials (407)")
        case let error as HTTPClientError where error == .invalidProxyResponse || error == .httpProxyHandshakeTimeout:
            return TransportError.connectionFailed("\(self.peer(of: request)) does not connect to \(request.host)")
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            return TransportError.connectionFailed("\(self.peer(of: request)) closed the connection without an answer")
        case let error as HTTPClientError where error == .connectTimeout:
            return TransportError.connectionFailed("\(self.peer(of: request)) does not answer a connection")
        case let call as IOError:
            let reason = String(cString: strerror(call.errnoCode))
            return TransportError.connectionFailed("\(self.peer(of: request)): \(reason)")
        case let connect as NIOConnectionError where connect.dnsAError != nil || connect.dnsAAAAError != nil:
            return TransportError.connectionFailed("\(self.peer(of: request)): no address is found for this name")
        default: return error
        }
    }

    /// What a connection is made to, as errors name it.
    private func peer(of request: TransportRequest) -> String {
        if let proxy = self.proxy { return "the proxy \(proxy)" }
        return request.port.map { "\(request.host):\($0)" } ?? request.host
    }

    private static func isWithoutRoute(_ error: any Error) -> Bool {
        guard let code = (error as? IOError)?.errnoCode else { return false }
        return [ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT].contains(code)
    }

    private static func isOfTLS(_ error: any Error) -> Bool {
        error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError
    }

    private func certificate(of request: TransportRequest) async -> TLSFailure.Certificate {
        // Through a proxy, this would need a request of its own.
        guard self.proxy == nil else { return .unknown }
        let now = self.clock.now()
        let (known, isDue) = self.look.withLock { look in
            if let last = look, now < last.at + Self.interval { return (last.certificate, false) }
            // Set before the fetch, so that requests that fail meanwhile do not fetch as well.
            look = (now, .unknown)
            return (TLSFailure.Certificate.unknown, true)
        }
        guard isDue else { return known }
        let leaf = await Self.leaf(of: request.host, port: request.port ?? 443)
        let found = leaf.map { TLSFailure.Certificate($0, wallTime: self.clock.wallTime()) } ?? .unknown
        self.look.withLock { $0 = (now, found) }
        return found
    }

    /// The certificate that a server shows; `nil` if there is none. Connects, and closes the connection without a request.
    static func leaf(of host: String, port: Int) async -> NIOSSLCertificate? {
        let shown = Lock<NIOSSLCertificate?>(nil)
        var configuration = TLSConfiguration.forLogs()
        // Nobody vouches for it here, and a file with authorities may be what is wrong.
        configuration.trustRoots = .certificates([])
        guard let context = try? NIOSSLContext(configuration: configuration) else { return nil }
        let address = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        let isAddress = (try? SocketAddress(ipAddress: address, port: port)) != nil
        guard let group = try? EventLoops.group() else { return nil }
        let channel = try? await ClientBootstrap(group: group)
            .connectTimeout(.seconds(2))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = try NIOSSLClientHandler(
                        context: context,
                        // NIOSSL refuses an IP address as a server name.
                        serverHostname: isAddress ? nil : address,
                        customVerificationCallback: { certificates, promise in
                            shown.withLock { $0 = certificates.first }
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
        // The callback above makes the handshake fail, and that closes the channel.
        try? await channel.closeFuture.get()
        limit.cancel()
        return shown.withLock { $0 }
    }
}

extension TLSFailure.Certificate {
    init(_ leaf: NIOSSLCertificate, wallTime: Int64) {
        let now = wallTime / 1_000_000_000
        let (from, until) = (Int64(leaf.notValidBefore), Int64(leaf.notValidAfter))
        self = until < now ? .expired(until) : from > now ? .notYetValid(from) : .valid
    }
}

extension TLSFailure.Machine {
    /// Where the TLS library looks for certificate authorities on Linux.
    private static let files = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]

    /// This machine as it is now.
    static var present: TLSFailure.Machine {
        #if os(Linux)
        let hasAuthorities = self.files.contains { access($0, R_OK) == 0 } || HashedAuthorities.isThere
        #else
        // Elsewhere the system verifies certificates, without these files.
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
