// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

extension LoopbackServer {
    /// What the server does with a request once it has read it.
    public enum Reply: Sendable {
        /// The service's answer to records that it takes.
        public static let success = Reply.answer(
            headers: [(name: "x-log-requestid", value: "5642EFA499248C827B012B39")],
            body: Array("{}".utf8)
        )
        /// Answers, with a Content-Length.
        case answer(status: Int = 200, headers: [(name: String, value: String)] = [], body: [UInt8] = [])
        /// Answers without a Content-Length; the end of the connection is the end of the body.
        case answerUntilClose(status: Int = 200, headers: [(name: String, value: String)] = [], body: [UInt8] = [])
        /// Answers with a chunked body.
        case answerInChunks(status: Int = 200, headers: [(name: String, value: String)] = [], chunks: [[UInt8]])
        /// Announces a body of `announced` bytes, sends `body`, and closes the connection.
        case cut(status: Int = 200, headers: [(name: String, value: String)] = [], body: [UInt8], announced: Int)
        /// Sends exactly these bytes, and closes the connection.
        case raw([UInt8])
        /// Sends these bytes and then no more, with the connection left open.
        case stall(after: [UInt8])
        /// Answers with a body of which a byte comes now and then, without end.
        case trickle(every: Duration)
        /// Closes the connection without an answer.
        case close
        /// Resets the connection without an answer.
        case reset
        /// Never answers; leaves the connection open.
        case never
        /// Reads no more than the headers, and never answers. The request is recorded without its body.
        case neverRead
        /// Waits until the test opens `gate`, then does the other.
        indirect case gated(Gate, Reply)
        /// Does what the closure says; it is called on the connection's thread.
        case computed(@Sendable (Request) -> Reply)

        /// Sends the client to `location`.
        public static func redirect(status: Int = 302, to location: String) -> Reply {
            .answer(status: status, headers: [("Location", location)])
        }
    }

    /// Holds answers back until a test opens it.
    public final class Gate: Sendable {
        let latch = Latch()

        /// Creates a closed gate.
        public init() {}

        /// Lets everything through that waits, and all that comes; has no effect the second time.
        public func open() {
            self.latch.open()
        }
    }

    /// A request as it came over the wire.
    public struct Request: Sendable {
        /// The method.
        public var method: String
        /// The target of the request line: the path, with a query if there is one.
        public var target: String
        /// The headers, in their order and with their names as they came.
        public var headers: [(name: String, value: String)]
        /// The body, without chunks if it came in some.
        public var body: [UInt8]
        /// The number of the connection that it came over, counted from 1.
        public var connection: Int

        /// The values of all headers of that name, in upper or lower case.
        public func values(of name: String) -> [String] {
            let name = name.lowercased()
            return self.headers.filter { $0.name.lowercased() == name }.map(\.value)
        }
    }

    /// A socket could not be set up.
    public struct SocketError: Error, Sendable {
        /// The system call that failed.
        public var call: String
        /// Its `errno`.
        public var code: Int32
    }
}
