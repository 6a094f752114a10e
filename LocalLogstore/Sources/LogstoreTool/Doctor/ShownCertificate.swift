// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SwiftASN1
import WebTracking
import X509

/// What a server's certificate says of itself.
struct ShownCertificate: Equatable {
    var issuer: String
    var from: Date
    var until: Date

    /// One that ends within so many seconds should have been renewed. The usual tools renew at two thirds of its life, or a
    /// month ahead: some live for a day only.
    private var margin: TimeInterval { min(14 * 86_400, self.until.timeIntervalSince(self.from) / 3) }

    /// A row about TLS with what the certificate says.
    func added(to row: DoctorRow, now: Date) -> DoctorRow {
        let until = Self.day(self.until)
        guard row.state == .ok else {
            let shown = "issued by \(self.issuer), valid from \(Self.day(self.from)) to \(until)"
            return DoctorRow(row.check, row.state, "\(row.finding) (\(shown))", suggestion: row.suggestion)
        }
        let isEnding = self.until.timeIntervalSince(now) < self.margin
        return DoctorRow(
            row.check,
            isEnding ? .warning : .ok,
            "\(row.finding): issued by \(self.issuer), valid until \(until)",
            suggestion: isEnding ? "it ends soon: has its renewal failed?" : nil
        )
    }

    private static func day(_ date: Date) -> String { date.formatted(.iso8601.year().month().day()) }

    /// Reads a certificate; `nil` if that cannot be done.
    init?(der bytes: [UInt8]) {
        guard let certificate = try? Certificate(derEncoded: bytes) else { return nil }
        self.init(
            issuer: "\(certificate.issuer)",
            from: certificate.notValidBefore,
            until: certificate.notValidAfter
        )
    }

    init(issuer: String, from: Date, until: Date) {
        self.issuer = issuer
        self.from = from
        self.until = until
    }
}
