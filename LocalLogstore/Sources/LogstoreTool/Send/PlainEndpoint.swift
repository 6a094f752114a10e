// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// An endpoint without TLS, as `webtracking serve` is, that was asked for it: the address has no `http://`.
enum PlainEndpoint {
    /// What to say instead of a diagnostic that holds nothing but what the TLS library calls it; `nil` for others.
    static func hint(about diagnostic: ProducerDiagnostic, endpoint: String) -> String? {
        guard case .requestFailed(_, _, .noAnswer(let error), _) = diagnostic else { return nil }
        return self.hint(aboutError: "\(error)", endpoint: endpoint)
    }

    /// Whether what answered was not TLS but text: in the library's words, and in those of the TLS library where the tool
    /// asks itself.
    static func answered(withError error: String) -> Bool {
        error.contains("does not speak TLS") || error.uppercased().contains("WRONG_VERSION_NUMBER")
    }

    static func hint(aboutError error: String, endpoint: String) -> String? {
        guard self.answered(withError: error) else { return nil }
        let host = endpoint.lowercased().hasPrefix("https://") ? String(endpoint.dropFirst("https://".count)) : endpoint
        return "\(endpoint) is asked by https but answers without; try --endpoint http://\(host)"
    }
}
