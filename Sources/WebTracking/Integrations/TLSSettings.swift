// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if AsyncHTTPClient

import NIOSSL

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension TLSConfiguration {
    /// What logs are sent with: TLS 1.2 at least, and the certificate authorities of the machine, or those that the
    /// environment names for all programs.
    static func forLogs() -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let path = self.authoritiesFile { configuration.trustRoots = .file(path) }
        return configuration
    }

    /// The file that `SSL_CERT_FILE` names; `nil` if it names none.
    static var authoritiesFile: String? {
        getenv("SSL_CERT_FILE").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}

#endif
