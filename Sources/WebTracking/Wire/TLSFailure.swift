// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// Says in one line why a TLS connection failed, and what to do. The error texts of the TLS library say neither, and
/// contain paths of the machine where it was built.
enum TLSFailure {
    /// What is known of the certificate that the server showed.
    enum Certificate: Sendable, Equatable {
        /// It was not looked at, or there was none.
        case unknown
        /// It was good until then, in seconds since 1970.
        case expired(Int64)
        /// It is good from then on.
        case notYetValid(Int64)
        /// Its dates are right, so the reason is its issuer.
        case valid
    }

    /// What matters of this machine.
    struct Machine: Sendable, Equatable {
        /// The file that `SSL_CERT_FILE` names.
        var authoritiesFile: String?
        /// Where certificate authorities were looked for.
        var searchedPaths: [String]
        /// Whether there are any.
        var hasAuthorities: Bool

        /// Where certificate authorities were looked for in vain; `nil` if there are some.
        var missing: [String]? {
            guard let file = self.authoritiesFile else { return self.hasAuthorities ? nil : self.searchedPaths }
            return access(file, R_OK) == 0 ? nil : [file]
        }
    }

    /// Whether the words say that the server's certificate was refused, so that a look at it helps.
    static func isTrustError(_ words: String) -> Bool { words.contains("CERTIFICATE_VERIFY_FAILED") }

    /// The line, for an error of TLS with `host`.
    static func line(_ words: String, host: String, certificate: Certificate, machine: Machine) -> String {
        "TLS with \(host) failed: \(self.reason(words, host: host, certificate: certificate, machine: machine))"
    }

    /// Whether a text is such a line.
    static func isLine(_ text: String) -> Bool { text.hasPrefix("TLS with ") }

    /// What a line says is wrong, and what to do.
    static func parts(of line: String) -> (finding: String, suggestion: String?) {
        guard let end = line.firstRange(of: "; ") else { return (line, nil) }
        return (String(line[..<end.lowerBound]), String(line[end.upperBound...]))
    }

    private static func reason(_ words: String, host: String, certificate: Certificate, machine: Machine) -> String {
        if words.contains("unknownError([])") || words.contains("failedToLoadCertificate")
            || words.contains("noSuchFilesystemObject")
        {
            guard let file = machine.authoritiesFile else { return self.noAuthorities(machine) }
            return Self.unreadable(file)
        }
        // A file without a certificate fails before there is a handshake, with an error of another name.
        if let file = machine.authoritiesFile, words.hasPrefix("unknownError(") { return Self.unreadable(file) }
        if words.contains("failedToValidateHostname") || words.contains("unableToValidateCertificate") {
            return "the server's certificate is for another name than \(host); is the endpoint right?"
        }
        if self.isTrustError(words) {
            switch certificate {
            case .expired(let time):
                return "the server's certificate expired on \(self.date(time)); it has to be renewed"
            case .notYetValid(let time):
                return "the server's certificate is valid from \(self.date(time)) on; is this machine's clock right?"
            case .valid, .unknown:
                if machine.authoritiesFile == nil, !machine.hasAuthorities { return self.noAuthorities(machine) }
                let known = machine.authoritiesFile ?? "this machine's certificate authorities"
                let doubt = certificate == .valid ? "" : ", or it has expired"
                return
                    "the issuer of the server's certificate is not among \(known)\(doubt); if it is a company's own, name "
                    + "a file with its certificate in SSL_CERT_FILE"
            }
        }
        if words.contains("PROTOCOL_VERSION") || words.contains("UNSUPPORTED_PROTOCOL") {
            return "the server offers no TLS 1.2 or newer"
        }
        if words.contains("WRONG_VERSION_NUMBER") || words.contains("HTTP_REQUEST") {
            return "the server does not speak TLS there; is it http, or another port?"
        }
        let marks = self.marks(in: words)
        return marks.isEmpty ? "the connection broke off in the handshake" : marks.joined(separator: ", ")
    }

    private static func unreadable(_ file: String) -> String {
        "no certificate authorities can be read from \(file), which SSL_CERT_FILE names"
    }

    private static func noAuthorities(_ machine: Machine) -> String {
        "no certificate authorities on this machine (\(machine.searchedPaths.joined(separator: ", "))); install them "
            + "(apt-get install ca-certificates), or name a file with them in SSL_CERT_FILE"
    }

    /// The library's marks, such as `SSLV3_ALERT_HANDSHAKE_FAILURE`, without the places in its files.
    private static func marks(in words: String) -> [String] {
        words.split { !($0.isASCII && ($0.isUppercase || $0.isNumber || $0 == "_")) }.map(String.init)
            .filter { $0.contains("_") && $0.count > 8 }
    }

    private static func date(_ seconds: Int64) -> String {
        let (day, _) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let (year, month, date) = TimestampFormatter.civil(day: Int(day.clamped(to: -100_000...1_000_000)))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(two(month))-\(two(date))"
    }
}
