// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

#if canImport(FoundationNetworking)
import Foundation
import FoundationNetworking
#else
import Foundation
#endif

/// Says in one line why a TLS connection did not come about, and what to do.
///
/// On Linux an error of TLS has no code of its own, only the words of libcurl and of its TLS library.
enum SessionTLSFailure {
    /// `error` in words that say what to do; itself if it is not about TLS.
    static func explained(_ error: URLError, host: String) -> any Error {
        guard let reason = self.reason(error.code) ?? self.reason(error.localizedDescription, host: host) else {
            return error
        }
        return TransportError.connectionFailed("TLS with \(host) failed: \(reason)")
    }

    private static let expired = "the server's certificate has expired; it has to be renewed"
    private static let notYetValid = "the server's certificate is not valid yet; is this machine's clock right?"
    private static let unknownIssuer =
        "the issuer of the server's certificate is not among this machine's certificate authorities; install them "
        + "(apt-get install ca-certificates), or, if it is a company's own, add it to them"
    private static let tooOld = "the server offers no TLS 1.2 or newer"

    private static func reason(_ code: URLError.Code) -> String? {
        switch code {
        case .serverCertificateHasBadDate: self.expired
        case .serverCertificateNotYetValid: self.notYetValid
        case .serverCertificateUntrusted, .serverCertificateHasUnknownRoot: self.unknownIssuer
        default: nil
        }
    }

    /// What libcurl's words mean; `nil` if they are not about TLS.
    static func reason(_ words: String, host: String) -> String? {
        let small = words.lowercased()
        func says(_ parts: String...) -> Bool { parts.contains { small.contains($0) } }
        guard says("ssl", "tls", "certificate", "cafile", "ca cert") else { return nil }
        if says("has expired") { return self.expired }
        if says("not yet valid") { return self.notYetValid }
        if says("cafile", "ca cert", "certificate verify locations") {
            return "no certificate authorities can be read on this machine; install them "
                + "(apt-get install ca-certificates)"
        }
        if says("subject name", "host name", "hostname") {
            return "the server's certificate is for another name than \(host); is the endpoint right?"
        }
        if says("self-signed", "self signed", "issuer certificate", "unable to verify") { return self.unknownIssuer }
        if says("legacy sigalg", "unsupported protocol", "protocol version", "no protocols available") {
            return self.tooOld
        }
        if says("wrong version number", "packet length too long", "http request") {
            return "the server does not speak TLS there; is it http, or another port?"
        }
        return words
    }
}
