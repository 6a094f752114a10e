// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import LocalLogstore

@Suite("Signatures")
struct SignatureCheckTests {
    /// The vectors that the service's own clients are tested with.
    struct Vector: CustomTestStringConvertible {
        var method = "POST"
        var path = "/logstores"
        var query: [(name: String, value: String)] = []
        var headers: [String: String] = [:]
        var region = "cn-hangzhou"
        var body = ""
        var signature: String

        var testDescription: String { self.signature }
    }

    private static let headers = [
        "hello": "world", "hello-text": "a12X- ", "x-log-test": "het123", "x-acs-ppp": "dds", "x-log-meta-a": "b",
    ]
    private static let query = [
        (name: " abc", value: "efg"), (name: " agc ", value: ""), (name: "", value: "efg"),
        (name: "A-bc", value: "eFg"),
    ]
    private static let body = "adasd= -asd zcas"

    static let vectors = [
        Vector(
            query: Self.query,
            headers: Self.headers,
            body: Self.body,
            signature: "a98f5632e93836e63839cd836a54055f480020a9364ca944e2d34f2eb9bf1bed"
        ),
        Vector(
            region: "cn-shanghai",
            body: Self.body,
            signature: "8a10a5e723cb2e75964816de660b2c16a58af8bc0261f7f0722d832468c76ce8"
        ),
        Vector(
            query: Self.query,
            headers: Self.headers,
            signature: "5a66d8f8051983e0e9d08e0f960ef9252ef971eead5bb5c7acec8617a2eb2701"
        ),
        Vector(
            method: "GET",
            query: Self.query,
            headers: Self.headers,
            signature: "d92741852500791d662a8d469ff61627c0559ecd86c3f59b7bf6772b6c62666a"
        ),
        Vector(
            path: "/logstores/hello/a+*~bb/cc",
            query: Self.query + [
                (name: "abs-ij*asd/vc", value: "a~js+d ada"), (name: "a abAas123/vc", value: "a~jdad a2ADFs+d ada"),
            ],
            headers: Self.headers,
            body: Self.body,
            signature: "2c204068e961a8813a6bcf7ac422f7fa6e9bf9a5da493e0165dfe100854d18ff"
        ),
    ]

    /// 2022-08-08T03:23:30Z
    private static let now = Date(timeIntervalSince1970: 1_659_929_010)
    private static let key = AccessKey(id: "acsddda21dsd", secret: "zxasdasdasw2")

    private func signed(_ vector: Vector) -> SignatureCheck.Signed {
        var headers = vector.headers
        headers["x-log-date"] = "20220808T032330Z"
        headers["x-log-content-sha256"] =
            vector.body.isEmpty
            ? "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            : "c7a4fd95f1d70933caf91641e8000768cea86100dc5649fd4f16fead718a62e4"
        headers["authorization"] =
            "SLS4-HMAC-SHA256 Credential=acsddda21dsd/20220808/\(vector.region)/sls/aliyun_v4_request,"
            + "Signature=\(vector.signature)"
        return SignatureCheck.Signed(
            method: vector.method,
            path: vector.path,
            query: vector.query,
            headers: headers,
            body: Array(vector.body.utf8)
        )
    }

    /// The code and message of the refusal; empty for none.
    private func refusal(
        _ signed: SignatureCheck.Signed,
        key: AccessKey = Self.key,
        now: Date = Self.now
    ) -> String {
        do {
            try SignatureCheck().check(signed, keys: AccessKeyRing([key]), now: now)
            return ""
        } catch {
            return "\(error.status) \(error.code): \(error.message)"
        }
    }

    @Test(arguments: Self.vectors) func takesWhatOfficialClientsSign(vector: Vector) {
        #expect(self.refusal(self.signed(vector)) == "")
    }

    /// The vectors of version 1, of 2010. Their date has no form that is sent, and so is not looked at.
    struct FirstVector: CustomTestStringConvertible {
        var path = "/logstores"
        var digest = ""
        var type = ""
        var rawSize = "0"
        var body: [UInt8] = []
        var signature: String

        var testDescription: String { self.signature }

        var isTaken: Bool? {
            var headers = [
                "x-log-apiversion": "0.6.0", "x-log-signaturemethod": "hmac-sha1", "x-log-bodyrawsize": self.rawSize,
            ]
            if !self.digest.isEmpty { headers["content-md5"] = self.digest }
            if !self.type.isEmpty { headers["content-type"] = self.type }
            let signed = SignatureCheck.Signed(
                method: "GET",
                path: self.path,
                query: [],
                headers: headers,
                body: self.body
            )
            let claim = SignatureV1("LOG mockAccessKeyID:\(self.signature)")
            return claim?.isMade(with: "mockAccessKeySecret", over: signed, time: "Mon, 3 Jan 2010 08:33:47 GMT")
        }
    }

    static let firstVectors = [
        FirstVector(signature: "Rwm6cTKzoti4HWoe+GKcb6Kv07E="),
        FirstVector(
            path: "/logstores/app_log",
            digest: "8D6881250FF5559F59BBDF04100F6E59",
            type: "application/x-protobuf",
            rawSize: "50",
            body: [
                [0x0A, 0x32, 0x0A, 0x1E, 0x08, 0xF8, 0xB2, 0x93, 0x9E, 0x05, 0x12, 0x16, 0x0A, 0x07],
                Array("TestKey".utf8), [0x12, 0x0B], Array("TestContent".utf8), [0x1A, 0x00, 0x22, 0x0E],
                Array("10.230.201.117".utf8),
            ].flatMap(\.self),
            signature: "87xQWqFaOSewqRIma8kPjGYlXHc="
        ),
    ]

    @Test(arguments: Self.firstVectors) func takesWhatOfficialClientsSignInVersion1(vector: FirstVector) {
        #expect(vector.isTaken == true)
        var changed = vector
        changed.rawSize += "0"
        #expect(changed.isTaken == false)
    }

    @Test func aDigestIsThatOfTheBodyAlsoWhereThereIsNone() {
        // Both signatures are made with the secret.
        let right = FirstVector(
            digest: "D41D8CD98F00B204E9800998ECF8427E",
            signature: "P8uhsfi6vygIbinClp4Nsc9P3i8="
        )
        let wrong = FirstVector(
            digest: "8D6881250FF5559F59BBDF04100F6E59",
            signature: "+fD6zJpJgV9IJU8WgCYOt3hKuPo="
        )
        #expect(right.isTaken == true && wrong.isTaken == false)
    }

    @Test func refusesWhatWasChangedAfterwards() {
        let signature = Self.vectors[0].signature
        let expected = "401 SignatureNotMatch: signature \(signature) not match"
        var changes: [SignatureCheck.Signed] = []
        func change(_ body: (inout SignatureCheck.Signed) -> Void) {
            var signed = self.signed(Self.vectors[0])
            body(&signed)
            changes.append(signed)
        }
        change { $0.method = "PUT" }
        change { $0.path = "/logstores/other" }
        change { $0.query = [] }
        change { $0.body.append(0) }
        change { $0.headers["x-log-test"] = "het124" }
        change { $0.headers["x-log-more"] = "1" }
        change { $0.headers["x-acs-ppp"] = nil }
        change { $0.headers["host"] = "h" }
        change { $0.headers["content-type"] = "t" }
        change { $0.headers["x-log-content-sha256"] = nil }
        change { $0.headers["x-log-date"] = "20220808T032331Z" }
        for signed in changes { #expect(self.refusal(signed) == expected) }
        #expect(
            self.refusal(self.signed(Self.vectors[0]), key: AccessKey(id: Self.key.id, secret: "zxasdasdasw3"))
                == expected
        )
        var other = self.signed(Self.vectors[0])
        other.headers["authorization"] = other.headers["authorization"]?.replacing(signature, with: "00")
        #expect(self.refusal(other) == "401 SignatureNotMatch: signature 00 not match")
        // Not signed: may change.
        var same = self.signed(Self.vectors[0])
        same.headers["hello"] = "moon"
        same.headers["x-log-meta-a"] = "c"
        #expect(self.refusal(same) == "")
    }

    @Test func refusesATimeMoreThanFifteenMinutesAway() {
        let signed = self.signed(Self.vectors[0])
        for seconds in [-900.0, 900] { #expect(self.refusal(signed, now: Self.now + seconds) == "") }
        for seconds: TimeInterval in [-901, 901, 31_536_000] {
            #expect(self.refusal(signed, now: Self.now + seconds).hasPrefix("400 RequestTimeExpired: "))
        }
        var none = signed
        none.headers["x-log-date"] = nil
        #expect(self.refusal(none).hasPrefix("400 MissingDate"))
        none.headers["x-log-date"] = "Mon, 08 Aug 2022 03:23:30 GMT"
        #expect(self.refusal(none).hasPrefix("400 InvalidDateFormat"))
    }

    @Test func refusesKeysAndTokensThatAreNotValid() {
        let signed = self.signed(Self.vectors[0])
        #expect(
            self.refusal(signed, key: AccessKey(id: "other", secret: Self.key.secret))
                == "401 Unauthorized: AccessKeyId not found: acsddda21dsd"
        )
        var key = Self.key
        key.securityToken = "token"
        #expect(self.refusal(signed, key: key) == "401 Unauthorized: The security token you provided is invalid.")
        key.securityToken = nil
        key.expiresAt = Self.now
        #expect(self.refusal(signed, key: key) == "401 Unauthorized: The security token you provided has expired.")
        key.expiresAt = Self.now + 1
        #expect(self.refusal(signed, key: key) == "")
        var unexpected = signed
        unexpected.headers["x-acs-security-token"] = "token"
        #expect(self.refusal(unexpected) == "401 Unauthorized: The security token you provided is invalid.")
        var anonymous = signed
        anonymous.headers["authorization"] = nil
        #expect(self.refusal(anonymous) == "401 Unauthorized: The request is not signed.")
    }

    @Test(arguments: [
        "", "LOG id:signature", "SLS4-HMAC-SHA256", "SLS4-HMAC-SHA256 Credential=a", "SLS4-HMAC-SHA256 Signature=00",
        "SLS4-HMAC-SHA256 Credential=a/20220808/r/sls/aliyun_v4_request,Signature=zz",
        "SLS4-HMAC-SHA256 Credential=a/20220808/r/oss/aliyun_v4_request,Signature=00",
        "SLS4-HMAC-SHA256 Credential=a/20220808/sls/aliyun_v4_request,Signature=00",
    ])
    func refusesHeadersOfAnotherForm(header: String) {
        var signed = self.signed(Self.vectors[0])
        signed.headers["authorization"] = header
        #expect(self.refusal(signed).hasPrefix("400 ParameterInvalid: "))
    }

    @Test func aKeyTellsItsIDOnly() {
        let key = AccessKey(id: "id", secret: "hidden", securityToken: "hidden")
        var text = "\(key) \([key])"
        dump([key], to: &text)
        #expect(text.contains("id") && !text.contains("hidden"))
    }
}
