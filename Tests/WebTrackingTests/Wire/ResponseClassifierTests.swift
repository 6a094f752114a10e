// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// What each answer means: the table of the delivery guide, row by row.
@Suite(.timeLimit(.minutes(10))) struct ResponseClassifierTests {
    private func classify(
        _ status: Int,
        code: String = "",
        id: Bool = true,
        headers: [(name: String, value: String)] = [],
        body: String? = nil
    ) -> Verdict {
        let body = body ?? (code.isEmpty ? "" : #"{"errorCode":"\#(code)","errorMessage":"m"}"#)
        let response = TransportResponse(
            status: status,
            headers: (id ? [("X-Log-RequestId", "5642EFA499248C827B012B39")] : []) + headers,
            body: Array(body.utf8)
        )
        return ResponseClassifier.classify(response, wallTime: 2_362_034_977_000_000_000).0
    }

    @Test(arguments: [200, 201, 204]) func successWithARequestIDIsDelivered(status: Int) {
        #expect(self.classify(status) == .delivered)
    }

    @Test(arguments: [200, 302, 401, 404, 407, 408, 429, 500])
    func anAnswerWithoutARequestIDProvesNothingAndIsRetried(status: Int) {
        #expect(self.classify(status, id: false) == .retry(.failed, after: nil))
    }

    @Test func aProxysTooLargeIsSplitAsWell() {
        #expect(self.classify(413, id: false) == .narrow(.tooLarge, byService: false))
    }

    @Test(arguments: [400, 403, 406, 422])
    func aRefusalOfSomethingInBetweenThatCanBeAboutTheRecordsIsNarrowedDown(status: Int) {
        #expect(self.classify(status, id: false) == .narrow(.rejected, byService: false))
    }

    @Test(arguments: ["", " "]) func anEmptyRequestIDIsNone(id: String) {
        for status in [200, 401, 500] {
            let response = TransportResponse(status: status, headers: [("x-log-requestid", id)], body: [])
            #expect(ResponseClassifier.classify(response, wallTime: 0).0 == .retry(.failed, after: nil))
        }
    }

    @Test(arguments: [301, 302, 304, 400, 402, 403, 405, 411, 415, 422, 499])
    func aRefusalWithoutACodeThatCanBeReadWaitsLikeA401(status: Int) {
        #expect(self.classify(status) == .retry(.unauthorized, after: nil))
        // As a body is that is compressed.
        #expect(self.classify(status, body: "\u{1f}\u{8b}\u{8}") == .retry(.unauthorized, after: nil))
    }

    @Test(arguments: [408, 429, 500, 502, 503, 504, 599]) func overloadAndBreakdownAreRetried(status: Int) {
        #expect(self.classify(status) == .retry(.unavailable, after: nil))
    }

    @Test(arguments: ["WriteQuotaExceed", "ShardWriteQuotaExceed", "ProjectQuotaExceed", "ExceedQuota"])
    func anExceededQuotaIsRetriedLater(code: String) {
        #expect(self.classify(403, code: code) == .retry(.throttled, after: nil))
    }

    @Test func anotherForbiddenIsRejected() {
        #expect(self.classify(403, code: "ProjectForbidden") == .reject)
    }

    @Test func whatSomebodyMayMendIsRetriedSlowly() {
        #expect(self.classify(401, code: "Unauthorized") == .retry(.unauthorized, after: nil))
        #expect(self.classify(404, code: "LogStoreNotExist") == .retry(.notFound, after: nil))
        #expect(self.classify(404, code: "ProjectNotExist") == .retry(.notFound, after: nil))
    }

    @Test func aSignatureThatCanBeMendedIsRetriedUnderAnyStatus() {
        for code in ["RequestTimeExpired", "RequestTimeTooSkewed", "InvalidRequestTime"] {
            #expect(self.classify(400, code: code) == .retry(.unavailable, after: nil))
            #expect(self.classify(401, code: code) == .retry(.unavailable, after: nil))
        }
        for code in ["SignatureNotMatch", "InvalidAccessKeyId", "SecurityTokenExpired"] {
            #expect(self.classify(401, code: code) == .retry(.unauthorized, after: nil))
            #expect(self.classify(403, code: code) == .retry(.unauthorized, after: nil))
        }
        #expect(self.classify(400, code: "SecurityTokenExpired") == .reject)
    }

    @Test func aBodyThatIsTooLargeIsSplitUnderEitherStatus() {
        #expect(self.classify(413) == .narrow(.tooLarge, byService: true))
        #expect(self.classify(413, code: "PostBodyTooLarge") == .narrow(.tooLarge, byService: true))
        #expect(self.classify(400, code: "PostBodyTooLarge") == .narrow(.tooLarge, byService: true))
    }

    @Test(arguments: [
        "PostBodyInvalid", "InvalidKey", "InvalidEncoding", "PostBodyUncompressError", "ParameterInvalid",
    ])
    func aFaultThatCanBeOneRecordsIsNarrowedDown(code: String) {
        for status in [400, 422, 499] {
            #expect(self.classify(status, code: code) == .narrow(.rejected, byService: true))
        }
    }

    @Test(arguments: ["MissingBodyRawSize", "InvalidCompressType", "InvalidAPIVersion", "MissingContentType"])
    func aRequestThatWouldBeWrongWithAnyRecordsIsRejected(code: String) {
        #expect(self.classify(400, code: code) == .reject)
    }

    @Test(arguments: [405, 411, 415]) func anythingElseWithACodeIsRejected(status: Int) {
        #expect(self.classify(status, code: "MethodNotSupported") == .reject)
    }

    @Test func aTimedOutRequestIsRetriedEvenUnder400() {
        #expect(self.classify(400, code: "RequestTimeout") == .retry(.unavailable, after: nil))
    }

    @Test func retryAfterBeyondAnyNumberIsTheLongestWait() {
        let longest = RetryAfter.parse("9223372036854775807", wallTime: 0)
        #expect(longest == .seconds(1 << 31))
        for text in ["9223372036854775808", String(repeating: "9", count: 400)] {
            #expect(RetryAfter.parse(text, wallTime: 0) == longest)
        }
        for text in ["+5", "-1", "", "5.0", "٣"] { #expect(RetryAfter.parse(text, wallTime: 0) == nil) }
    }

    @Test func ofAnAnswerOfMoreThan64KiBOnlyTheBeginningIsRead() throws {
        func error(padding: Int) throws -> ServiceError {
            let space = String(repeating: " ", count: padding)
            let body = #"{"errorCode":"E","errorMessage":"m"}"# + space
            let response = TransportResponse(status: 500, headers: [("x-log-requestid", "id")], body: Array(body.utf8))
            return try #require(ResponseClassifier.classify(response, wallTime: 0).1)
        }
        #expect(try error(padding: (64 << 10) - 36).code == "E")
        let long = try error(padding: (64 << 10) - 35)
        #expect(long.code == "" && long.message.hasPrefix(#"{"errorCode":"E""#))
    }

    @Test func retryAfterIsReadInBothForms() {
        #expect(self.classify(503, headers: [("Retry-After", "17")]) == .retry(.unavailable, after: .seconds(17)))
        let date = [(name: "retry-after", value: "Sun, 06 Nov 2044 08:49:47 GMT")]
        #expect(self.classify(429, headers: date) == .retry(.unavailable, after: .seconds(10)))
        #expect(self.classify(503, headers: [("Retry-After", "soon")]) == .retry(.unavailable, after: nil))
        let past = [(name: "retry-after", value: "Sat, 05 Nov 2044 08:49:47 GMT")]
        #expect(self.classify(429, headers: past) == .retry(.unavailable, after: .zero))
    }

    @Test(arguments: [
        "Sun, 06 Nov 2044 08:49:37", "06 Nov 2044 08:49:37 GMT", "Sun, 32 Nov 2044 08:49:37 GMT",
        "Sun, 06 Nop 1994 08:49:37 GMT", "Sun, 06 Nov 2044 24:49:37 GMT", "-5", "1e3", "",
    ])
    func otherTextsAreNoRetryAfter(text: String) {
        #expect(RetryAfter.parse(text, wallTime: 0) == nil)
    }

    @Test func theServicesCodeMessageAndRequestIDAreKept() {
        let response = TransportResponse(
            status: 400,
            headers: [("x-log-requestid", "ID")],
            body: Array(#"{"errorCode":"PostBodyInvalid","errorMessage":"Value in log is not string data type"}"#.utf8)
        )
        let error = ResponseClassifier.classify(response, wallTime: 0).1
        #expect(
            error?.description
                == "HTTP 400 PostBodyInvalid: Value in log is not string data type (request id ID)"
        )
    }

    @Test(arguments: ["<html>\u{1b}[31m502\r\n</html>", "{", "[1]", "{\"errorCode\":7}", "\u{0}"])
    func aBodyThatIsNotTheServicesIsOneLineWithoutControlCharacters(body: String) {
        let response = TransportResponse(status: 502, headers: [("x-log-requestid", "ID")], body: Array(body.utf8))
        let text = ResponseClassifier.classify(response, wallTime: 0).1?.description ?? ""
        #expect(text.hasPrefix("HTTP 502"))
        #expect(text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 })
    }
}
