// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import NIOHTTP1

/// Decides how the answers of one connection are framed, and after which of them it ends.
///
/// Pure. Clients may send a request before the last is answered; answers come in the order of the requests.
struct ConnectionState {
    private struct Asked {
        /// HTTP/1.0, which knows no chunks.
        var isOld: Bool
        var isHead: Bool
        var staysOpen: Bool
        /// The client holds its body back until it is told to go on.
        var holdsBodyBack: Bool
    }

    /// The requests that are not answered to the end, in their order.
    private var waiting: [Asked] = []
    private var isStopping = false
    private var isLast = false
    /// Nothing that comes now is a request any more.
    private(set) var hasEnded = false

    /// Notes a request, and says in its header in one way whether the connection ends with it.
    mutating func receive(_ head: inout HTTPRequestHead) {
        let staysOpen = head.isKeepAlive
        if !staysOpen { head.headers.replaceOrAdd(name: "connection", value: "close") }
        let isOld = (head.version.major, head.version.minor) < (1, 1)
        let hasBody =
            head.headers.contains(name: "transfer-encoding")
            || head.headers["content-length"].contains { $0 != "0" }
        let expects = head.headers[canonicalForm: "expect"].contains { $0.lowercased() == "100-continue" }
        self.waiting.append(
            Asked(
                isOld: isOld,
                isHead: head.method == .HEAD,
                staysOpen: staysOpen,
                holdsBodyBack: expects && hasBody && !isOld
            )
        )
    }

    /// Notes a part of a body: whoever sends it has not waited, or waits no longer.
    mutating func receiveBody() {
        guard !self.waiting.isEmpty else { return }
        self.waiting[self.waiting.count - 1].holdsBodyBack = false
    }

    /// Notes that the body of the request that is served is wanted; whether the client has to be told.
    mutating func wantBody() -> Bool {
        guard let first = self.waiting.first, first.holdsBodyBack else { return false }
        self.waiting[0].holdsBodyBack = false
        return true
    }

    /// Notes that the endpoint stops.
    mutating func stop() { self.isStopping = true }

    /// Gives the head of an answer what is about the connection.
    mutating func answer(_ head: inout HTTPResponseHead) {
        guard head.status.code >= 200 else { return }
        // What was no request at all is answered, too.
        let asked = self.waiting.first ?? Asked(isOld: false, isHead: false, staysOpen: false, holdsBodyBack: false)
        if asked.isOld { head.version = .http1_0 }
        // Without a length, only the end of the connection ends an answer that may have no chunks.
        let hasEnd = !asked.isOld || asked.isHead || head.headers.contains(name: "content-length")
        // A client that held its body back and is refused may send the body or not: what it sends next could be either.
        // At a stop, requests that were read already still get their answers.
        let isEnding = self.isStopping && self.waiting.count <= 1
        let staysOpen =
            asked.staysOpen && !asked.holdsBodyBack && !isEnding && hasEnd
            && !head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "close" }
        self.isLast = !staysOpen
        if !staysOpen {
            head.headers.replaceOrAdd(name: "connection", value: "close")
        } else if asked.isOld {
            head.headers.replaceOrAdd(name: "connection", value: "keep-alive")
        }
    }

    /// Whether the answer that is written may have a body.
    var answerHasBody: Bool { self.waiting.first?.isHead != true }

    /// Notes the end of an answer; whether the connection ends with it.
    mutating func endAnswer() -> Bool {
        if !self.waiting.isEmpty { self.waiting.removeFirst() }
        if self.isLast { self.hasEnded = true }
        return self.isLast
    }
}
