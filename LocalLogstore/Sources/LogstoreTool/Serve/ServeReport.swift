// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore

/// What an endpoint prints.
enum ServeReport {
    static func print(_ event: ServerEvent) {
        switch event {
        case .listening:
            break
        case .logstoreCreated(let name):
            Output.note("webtracking: new logstore \(name)")
        case .pruned(let logs):
            Output.note("webtracking: deleted the \(logs) oldest logs to make room")
        case .cleared(let cleared):
            Output.note("webtracking: cleared \(cleared.words)")
        case .storeFailed(let failure):
            Output.note("webtracking: logs are refused: \(failure)")
        case .storeRecovered(let refused):
            Output.note("webtracking: logs are stored again; refused meanwhile: \(refused) requests")
        case .refused(let error):
            Output.note(TerminalText.escaped("webtracking: refused, \(error.status) \(error.code): \(error.message)"))
        }
    }

    /// One line about everything since the start.
    static func summary(_ statistics: ServerStatistics) -> String {
        let answers = statistics.answers.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }
        return "webtracking: stopped, \(statistics.logs) logs stored, \(statistics.requests) requests"
            + (answers.isEmpty ? "" : " (\(answers.joined(separator: ", ")))")
            + (statistics.faults > 0 ? ", \(statistics.faults) faults" : "")
            + ", \(statistics.rawBytes) bytes raw, \(statistics.wireBytes) on the wire"
    }
}
