// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

import Testing

@testable import WebTracking

/// The five vectors that the service's own clients are tested with.
@Suite struct SignatureV4Tests {
    struct Vector: CustomTestStringConvertible {
        var name: String
        var method = "POST"
        var path = "/logstores"
        var query: [(name: String, value: String)] = []
        var headers: [(name: String, value: String)] = []
        var region = "cn-hangzhou"
        var body = ""
        var signature: String

        var testDescription: String { self.name }
    }

    private static let headers: [(name: String, value: String)] = [
        ("hello", "world"), ("hello-Text", "a12X- "), (" Ko ", ""), ("", "AA"), ("x-log-test", "het123"),
        ("x-acs-ppp", "dds"),
    ]
    private static let query: [(name: String, value: String)] = [
        (" abc", "efg"), (" agc ", ""), ("", "efg"), ("A-bc", "eFg"),
    ]
    private static let body = "adasd= -asd zcas"

    static let vectors = [
        Vector(
            name: "query and headers",
            query: Self.query,
            headers: Self.headers,
            body: Self.body,
            signature: "a98f5632e93836e63839cd836a54055f480020a9364ca944e2d34f2eb9bf1bed"
        ),
        Vector(
            name: "neither",
            region: "cn-shanghai",
            body: Self.body,
            signature: "8a10a5e723cb2e75964816de660b2c16a58af8bc0261f7f0722d832468c76ce8"
        ),
        Vector(
            name: "no body",
            query: Self.query,
            headers: Self.headers,
            signature: "5a66d8f8051983e0e9d08e0f960ef9252ef971eead5bb5c7acec8617a2eb2701"
        ),
        Vector(
            name: "GET",
            method: "GET",
            query: Self.query,
            headers: Self.headers,
            signature: "d92741852500791d662a8d469ff61627c0559ecd86c3f59b7bf6772b6c62666a"
        ),
        Vector(
            name: "characters in path and query",
            path: "/logstores/hello/a+*~bb/cc",
            query: Self.query + [
                ("abs-ij*asd/vc", "a~js+d ada"), ("a abAas123/vc", "a~jdad a2ADFs+d ada"),
            ],
            headers: Self.headers,
            body: Self.body,
            signature: "2c204068e961a8813a6bcf7ac422f7fa6e9bf9a5da493e0165dfe100854d18ff"
        ),
    ]

    @Test(arguments: Self.vectors) func signsAsTheServiceDoes(vector: Vector) {
        let credentials = WebTrackingCredentials(accessKeyID: "acsddda21dsd", accessKeySecret: "zxasdasdasw2")
        let hash = SignatureV4.hash(Array(vector.body.utf8))
        let time = "20220808T032330Z"
        let authorization = SignatureV4(credentials: credentials, region: vector.region).authorization(
            for: SignatureV4.Input(
                method: vector.method,
                path: vector.path,
                query: vector.query,
                headers: vector.headers + [("x-log-date", time), ("x-log-content-sha256", hash)],
                contentHash: hash,
                time: time
            )
        )
        let scope = "20220808/\(vector.region)/sls/aliyun_v4_request"
        #expect(
            authorization
                == "SLS4-HMAC-SHA256 Credential=acsddda21dsd/\(scope),Signature=\(vector.signature)"
        )
    }

    @Test func aBodyOfNoBytesHasAHash() {
        #expect(
            SignatureV4.hash([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        )
    }

    @Test func timesAreWrittenAndReadToTheSecond() {
        #expect(UTCTimestamp.compact(1_659_929_010_999_999_999) == "20220808T032330Z")
        #expect(UTCTimestamp.compact(-1) == "19700101T000000Z")
        #expect(UTCTimestamp.nanoseconds(Array("2022-08-08T03:23:30Z".utf8)) == 1_659_929_010_000_000_000)
        #expect(UTCTimestamp.nanoseconds(Array("2022-08-08T03:23:30.5Z".utf8)) == 1_659_929_010_500_000_000)
        #expect(UTCTimestamp.nanoseconds(Array("2022-08-08T03:23:30.000000001Z".utf8)) == 1_659_929_010_000_000_001)
    }

    @Test(arguments: [
        "", "Z", "2022-08-08T03:23:30", "2022-08-08 03:23:30Z", "2022-13-08T03:23:30Z", "2022-08-08T24:23:30Z",
        "2022-08-08T03:23:30.Z", "2022-08-08T03:23:30.0000000001Z", "2022-08-08T03:23:30+08:00", "20220808T032330Z1234",
    ])
    func otherTextsAreNoTime(text: String) {
        #expect(UTCTimestamp.nanoseconds(Array(text.utf8)) == nil)
    }
}

#endif
