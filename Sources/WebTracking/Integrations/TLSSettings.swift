// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if AsyncHTTPClient

import NIOSSL
import WebTrackingPlatform

extension TLSConfiguration {
    /// The TLS settings for sending logs: TLS 1.2 or newer, and the machine's certificate authorities, or those in the
    /// file that `SSL_CERT_FILE` names.
    static func forLogs() -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        // NIOSSL's own default still allows TLS 1.0 (2.37.6).
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
