// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

#if canImport(FoundationNetworking)
import Foundation
import FoundationNetworking
#else
import Foundation
#endif

/// The delegate of a session, and what is on its way in it.
///
/// A delegate sees answers that the session's own async functions hold back on Linux, and can end bodies early.
final class SessionExchanges: NSObject, URLSessionDataDelegate, Sendable {
    private struct Exchange {
        let task: URLSessionDataTask
        let continuation: CheckedContinuation<TransportResponse, any Error>
        var body: [UInt8] = []
    }

    private struct State {
        var hasEnded = false
        /// By the tasks' identifiers.
        var exchanges: [Int: Exchange] = [:]
    }

    private let state = Lock(State())

    /// Sends `message`; returns the answer, or throws as soon as there is none or the task is cancelled.
    func perform(_ message: URLRequest, in session: URLSession) async throws -> TransportResponse {
        let task = try self.state.withLock { state in
            // Foundation ends the process where a session is used that is no longer valid.
            if state.hasEnded { throw TransportError.connectionFailed("the transport is shut down") }
            return session.dataTask(with: message)
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let exchange = Exchange(task: task, continuation: continuation)
                self.state.withLock { $0.exchanges[task.taskIdentifier] = exchange }
                task.resume()
                // A cancellation before this point found no continuation to end.
                if Task.isCancelled { self.finish(task) { _ in throw CancellationError() } }
            }
        } onCancel: {
            self.finish(task) { _ in throw CancellationError() }
        }
    }

    /// Ends all requests, and then the session.
    func end(_ session: URLSession) {
        let tasks = self.state.withLock { state in
            state.hasEnded = true
            return state.exchanges.values.map(\.task)
        }
        for task in tasks {
            self.finish(task) { _ in throw TransportError.connectionFailed("the transport is shut down") }
        }
        session.finishTasksAndInvalidate()
    }

    /// Ends an exchange with what `result` makes of the body so far, unless it has ended already.
    private func finish(_ task: URLSessionTask, with result: ([UInt8]) throws -> TransportResponse) {
        let exchange = self.state.withLock { $0.exchanges.removeValue(forKey: task.taskIdentifier) }
        guard let exchange else { return }
        exchange.continuation.resume(with: Result { try result(exchange.body) })
        // Has no effect on a task that is complete.
        exchange.task.cancel()
    }

    // MARK: The delegate

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isFull = self.state.withLock { state -> Bool in
            guard let count = state.exchanges[dataTask.taskIdentifier]?.body.count else { return false }
            let part = data.prefix(TransportResponse.maximumBodyBytes - count)
            state.exchanges[dataTask.taskIdentifier]?.body.append(contentsOf: part)
            return part.count < data.count
        }
        if isFull { self.finish(dataTask) { try TransportResponse(dataTask.response, body: $0) } }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        self.finish(task) { body in
            if let error { throw error }
            return try TransportResponse(task.response, body: body)
        }
    }

    /// Returns redirects as they are: the service sends none, so another server sent them.
    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    /// Offers no credentials, so that the refusal itself is the answer.
    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        didReceive challenge: URLAuthenticationChallenge,
        completionHandler: @escaping @Sendable (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        // Otherwise it is about the TLS connection.
        guard let response = challenge.failureResponse else { return completionHandler(.performDefaultHandling, nil) }
        #if canImport(FoundationNetworking)
        // Here the answer is complete, and would be lost: this Foundation knows only how to go on with credentials.
        self.finish(task) { try TransportResponse(response, body: $0) }
        #else
        _ = response
        #endif
        completionHandler(.rejectProtectionSpace, nil)
    }
}

extension TransportResponse {
    init(_ response: URLResponse?, body: [UInt8]) throws {
        guard let response = response as? HTTPURLResponse else {
            throw TransportError.connectionFailed("the answer is not HTTP")
        }
        self.init(
            status: response.statusCode,
            headers: response.allHeaderFields.map { ("\($0.key)", "\($0.value)") },
            body: body
        )
    }
}
