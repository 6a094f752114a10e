// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

extension TransportConformance {
    /// The checks of the suite.
    public enum Check: String, Sendable, CaseIterable {
        // MARK: The request

        /// A request is a POST to exactly the path that was asked for.
        case postsToThePath
        /// The Host header is there once, with the port.
        case namesTheHost
        /// The body comes with its length, and not in chunks, which the service does not take.
        case announcesTheLength
        /// The body arrives byte for byte, from nothing to 3 MiB.
        case sendsTheBody
        /// Each header arrives once, with the value that it was given.
        case sendsTheHeaders
        /// There is no Content-Encoding, which the service would act on, and no Authorization.
        case addsNoHeaders
        /// A cookie that the server sets does not come back.
        case keepsNoCookies

        // MARK: The answer

        /// Whatever the status, it is returned and not thrown, and the request is not sent again.
        case returnsEveryStatus
        /// The headers of the answer are there, and are found in upper and lower case.
        case returnsTheHeaders
        /// The body of the answer is there, byte for byte.
        case returnsTheBody
        /// An answer without a body is an answer.
        case returnsAnEmptyBody
        /// A body in chunks is put together.
        case returnsAChunkedBody
        /// A body that ends with the connection is complete.
        case returnsABodyUntilClose
        /// A body of 1 MiB does not hurt; at least its beginning is returned.
        case bearsALargeBody
        /// A redirect is returned, and not followed.
        case returnsRedirects

        // MARK: No answer

        /// A connection that is reset before the answer is an error, and the request is not sent again.
        case throwsOnReset
        /// A connection that is closed before the answer is an error, and the request is not sent again.
        case throwsOnClose
        /// An answer of which the end is missing is an error.
        case throwsOnCutBody
        /// Headers of which the end is missing, or late, are an error.
        ///
        /// Foundation for Linux ends the process here, at least until Swift 6.3 (swift-corelibs-foundation issue 5285):
        /// leave this check out for what is built on its URLSession.
        case throwsOnCutHeaders
        /// An answer that is not HTTP is an error.
        case throwsOnGarbage
        /// A connection that is refused is an error.
        case throwsOnRefusedConnection

        // MARK: Time

        /// A server that does not answer leads to an error after the timeout.
        case timesOut
        /// The timeout holds for the body of the answer as well, however it dawdles.
        case timesOutInTheAnswer
        /// The timeout holds while the request is being sent.
        case timesOutInTheRequest
        /// A task that is cancelled while it waits for the answer ends soon, with an error.
        case endsOnCancellation

        // MARK: Connections

        /// Requests one after another share a connection, as long as the service is well.
        case reusesConnections
        /// 32 requests at the same time succeed, each with its own answer.
        case sendsConcurrently
        /// 8 requests, which the producer has on their way by default, do not wait for each other.
        case sendsInParallel
        /// `shutdown()` returns, and a request that comes too late does not hang.
        case shutsDown
    }
}

extension TransportConformance.Check {
    func perform(on bench: ConformanceBench) async throws {
        switch self {
        case .postsToThePath: try await bench.postsToThePath()
        case .namesTheHost: try await bench.namesTheHost()
        case .announcesTheLength: try await bench.announcesTheLength()
        case .sendsTheBody: try await bench.sendsTheBody()
        case .sendsTheHeaders: try await bench.sendsTheHeaders()
        case .addsNoHeaders: try await bench.addsNoHeaders()
        case .keepsNoCookies: try await bench.keepsNoCookies()
        case .returnsEveryStatus: try await bench.returnsEveryStatus()
        case .returnsTheHeaders: try await bench.returnsTheHeaders()
        case .returnsTheBody: try await bench.returnsTheBody()
        case .returnsAnEmptyBody: try await bench.returnsAnEmptyBody()
        case .returnsAChunkedBody: try await bench.returnsAChunkedBody()
        case .returnsABodyUntilClose: try await bench.returnsABodyUntilClose()
        case .bearsALargeBody: try await bench.bearsALargeBody()
        case .returnsRedirects: try await bench.returnsRedirects()
        case .throwsOnReset: try await bench.throwsOnReset()
        case .throwsOnClose: try await bench.throwsOnClose()
        case .throwsOnCutBody: try await bench.throwsOnCutBody()
        case .throwsOnCutHeaders: try await bench.throwsOnCutHeaders()
        case .throwsOnGarbage: try await bench.throwsOnGarbage()
        case .throwsOnRefusedConnection: try await bench.throwsOnRefusedConnection()
        case .timesOut: try await bench.timesOut()
        case .timesOutInTheAnswer: try await bench.timesOutInTheAnswer()
        case .timesOutInTheRequest: try await bench.timesOutInTheRequest()
        case .endsOnCancellation: try await bench.endsOnCancellation()
        case .reusesConnections: try await bench.reusesConnections()
        case .sendsConcurrently: try await bench.sendsConcurrently()
        case .sendsInParallel: try await bench.sendsInParallel()
        case .shutsDown: try await bench.shutsDown()
        }
    }
}
