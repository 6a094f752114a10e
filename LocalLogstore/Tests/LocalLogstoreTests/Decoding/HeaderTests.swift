// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import Testing

@Suite("Headers of a POST")
struct HeaderTests {
    private let decoder = PutWebtrackingDecoder()
    private let body = Array(Body.small.utf8)

    private func input(
        version: String? = "0.6.0",
        rawSize: String?? = .none,
        compressType: String? = nil,
        body: [UInt8]? = nil
    ) -> PutWebtrackingDecoder.Input {
        let body = body ?? self.body
        return PutWebtrackingDecoder.Input(
            version: version,
            rawSize: rawSize ?? String(body.count),
            compressType: compressType,
            body: body
        )
    }

    @Test func acceptsTheDocumentedHeaders() throws {
        let output = try self.decoder.decode(self.input())
        #expect(output.rawBytes == self.body.count)
        #expect(output.wireBytes == self.body.count)
        #expect(output.compression == .none)
        #expect(output.group.logs.map(\.fields) == [[Field("k", "v")]])
    }

    @Test(arguments: [nil, "", "0.5.0", "0.6", "0.6.0 "])
    func refusesAnotherVersion(version: String?) {
        let failure = self.decoder.failure(self.input(version: version))
        #expect(failure?.status == 400)
        #expect(failure?.code == (version == nil ? "MissingAPIVersion" : "InvalidAPIVersion"))
    }

    @Test func wantsTheRawSizeWithoutCompressionToo() {
        #expect(self.decoder.failure(self.input(rawSize: .some(nil)))?.code == "MissingBodyRawSize")
    }

    @Test(arguments: ["", "x", "-1", "+41", "41.0", "0x29", " 41", "٤١", "40", "42", "99999999999999999999"])
    func refusesAnInexactRawSize(rawSize: String) {
        #expect(self.body.count == 41)
        #expect(self.decoder.failure(self.input(rawSize: rawSize))?.code == "InvalidBodyRawSize")
    }

    @Test(arguments: ["", "none", "gzip", "zstd", "LZ4", "lz4,deflate"])
    func refusesOtherCompression(type: String) {
        #expect(self.decoder.failure(self.input(compressType: type))?.code == "InvalidCompressType")
    }

    @Test func decompressesBothKinds() throws {
        let raw = Array(Body.logs(500).utf8)
        let plain = try self.decoder.decode(self.input(body: raw))
        for (type, body) in [("lz4", Wire.lz4(raw)), ("deflate", Wire.zlib(raw))] {
            let output = try self.decoder.decode(
                self.input(rawSize: String(raw.count), compressType: type, body: body)
            )
            #expect(output.group == plain.group)
            #expect(output.compression.rawValue == type)
            #expect(output.wireBytes == body.count)
            #expect(output.rawBytes == raw.count)
        }
    }

    @Test(arguments: ["lz4", "deflate"])
    func refusesARawSizeThatIsNotThatOfTheBody(type: String) {
        let compressed = type == "lz4" ? Wire.lz4(self.body) : Wire.zlib(self.body)
        let tooLarge = self.input(rawSize: String(self.body.count + 1), compressType: type, body: compressed)
        #expect(self.decoder.failure(tooLarge)?.code == "InvalidBodyRawSize")
        let tooSmall = self.input(rawSize: String(self.body.count - 1), compressType: type, body: compressed)
        #expect(self.decoder.failure(tooSmall)?.code == "PostBodyUncompressError")
    }

    @Test(arguments: ["lz4", "deflate"])
    func refusesABodyThatIsNotCompressed(type: String) {
        #expect(self.decoder.failure(self.input(compressType: type))?.code == "PostBodyUncompressError")
    }

    @Test func saysWhatIsWrongAsTheServiceDoes() {
        let failure = ServiceError(status: 400, code: "X", message: "a \"b\"\n")
        #expect(failure.json == #"{"errorCode":"X","errorMessage":"a \"b\"\n"}"#)
    }
}
