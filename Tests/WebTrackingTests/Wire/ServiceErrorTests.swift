// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

/// What is read of an answer that is an error.
@Suite struct ServiceErrorTests {
    /// `{"errorCode":"WriteQuotaExceed","errorMessage":"Project write quota exceed: qps: 1"}` of gzip.
    static let gzip: [UInt8] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 74, 45, 42, 202, 47, 114, 206, 79, 73, 85, 178, 82, 10,
        47, 202, 44, 73, 13, 44, 205, 47, 73, 116, 173, 72, 78, 77, 77, 81, 210, 129, 72, 251, 166, 22, 23,
        39, 166, 131, 84, 4, 20, 229, 103, 165, 38, 151, 40, 148, 131, 84, 42, 20, 130, 148, 42, 164, 130,
        213, 90, 41, 20, 22, 20, 91, 41, 24, 42, 213, 2, 0, 248, 193, 137, 102, 84, 0, 0, 0,
    ]
    /// The same of zlib.
    static let deflate: [UInt8] = [
        120, 156, 171, 86, 74, 45, 42, 202, 47, 114, 206, 79, 73, 85, 178, 82, 10, 47, 202, 44, 73, 13, 44,
        205, 47, 73, 116, 173, 72, 78, 77, 77, 81, 210, 129, 72, 251, 166, 22, 23, 39, 166, 131, 84, 4, 20,
        229, 103, 165, 38, 151, 40, 148, 131, 84, 42, 20, 130, 148, 42, 164, 130, 213, 90, 41, 20, 22, 20,
        91, 41, 24, 42, 213, 2, 0, 8, 202, 29, 211,
    ]

    private static func error(_ status: Int, _ body: [UInt8]) -> ServiceError {
        ServiceError(status: status, requestID: "ID", body: body)
    }

    @Test(arguments: [gzip, deflate]) func theCodeOfACompressedAnswerIsRead(body: [UInt8]) {
        let error = Self.error(403, body)
        #expect(error.code == "WriteQuotaExceed")
        #expect(error.message == "Project write quota exceed: qps: 1")
        #expect(error.isQuota)
        let response = TransportResponse(status: 403, headers: [("x-log-requestid", "ID")], body: body)
        #expect(ResponseClassifier.classify(response, wallTime: 0).0 == .retry(.throttled, after: nil))
    }

    @Test func aCompressedAnswerThatIsCutOrBrokenHasNoCodeAndHarmsNothing() {
        for body in [Self.gzip, Self.deflate] {
            for count in 0..<body.count {
                let error = Self.error(403, Array(body.prefix(count)))
                #expect(error.code.isEmpty || error.code == "WriteQuotaExceed")
            }
            for index in body.indices {
                for byte in [UInt8(0), 0xFF, body[index] ^ 1] {
                    var broken = body
                    broken[index] = byte
                    _ = Self.error(403, broken)
                }
            }
        }
    }

    @Test func whatACompressedAnswerUnpacksToIsBounded() throws {
        let raw = [UInt8](repeating: 0x20, count: 64 << 20)
        let bomb = try #require(raw.withUnsafeBytes { ZlibStream.compress($0, level: 9) })
        #expect(bomb.count < 128 << 10)
        let beginning = try #require(ZlibStream.beginning(of: bomb, limit: TransportResponse.maximumBodyBytes))
        #expect(beginning.count == TransportResponse.maximumBodyBytes)
    }

    @Test func aPlainAnswerIsReadAsItIs() {
        for text in ["", "{", "x", "{\"errorCode\":\"A\"}", "x\u{1}x"] {
            #expect(ZlibStream.beginning(of: Array(text.utf8), limit: 100) == nil)
        }
        #expect(Self.error(400, Array("{\"errorCode\":\"A\"}".utf8)).code == "A")
    }

    @Test(arguments: [301, 302, 303, 307, 308]) func aRedirectSaysWhereTo(status: Int) {
        let answer = TransportResponse(
            status: status,
            headers: [("Location", "https://elsewhere.example.com/\u{1B}[31m")]
        )
        let error = ResponseClassifier.classify(answer, wallTime: 0).1
        #expect(error?.location?.hasPrefix("https://elsewhere.example.com/") == true)
        let text = "\(error.map { "\($0)" } ?? "")"
        #expect(text.contains("redirects to https://elsewhere.example.com/"))
        #expect(text.unicodeScalars.allSatisfy { $0.value >= 32 })
        let other = TransportResponse(status: 200, headers: [("Location", "https://elsewhere.example.com/")])
        #expect(ResponseClassifier.classify(other, wallTime: 0).1?.location == nil)
    }
}
