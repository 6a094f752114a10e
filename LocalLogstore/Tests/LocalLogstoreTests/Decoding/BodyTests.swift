// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import Testing

@Suite("JSON body of a POST")
struct BodyTests {
    private let decoder = PutWebtrackingDecoder()

    @Test func readsTheWholeGroup() throws {
        let body =
            #"{"__topic__":"topic","__source__":"source","__logs__":[{"key1":"value1","key2":"value2"}],"#
            + #""__tags__":{"tag1":"value1","tag2":"value2"}}"#
        #expect(body.utf8.count == 135)
        let group = try self.decoder.decode(body)
        #expect(
            group
                == LogGroup(
                    topic: "topic",
                    source: "source",
                    tags: [Field("tag1", "value1"), Field("tag2", "value2")],
                    logs: [LogFields([Field("key1", "value1"), Field("key2", "value2")])]
                )
        )
    }

    @Test func keepsEveryCharacter() throws {
        let text = "q\"b\\s/\u{0}\u{7}\u{8}\u{C}\n\r\t\u{1F}\u{7F}\u{2028}\u{2029} caf\u{E9} \u{4E2D}\u{6587} \u{1F600}"
        let body =
            #"{"__topic__":"t","__source__":"s","__logs__":[{"msg":"q\"b\\s/\u0000\u0007\b\f\n\r\t\u001f"#
            + "\u{7F}\u{2028}\u{2029} caf\u{E9} \u{4E2D}\u{6587} \u{1F600}\"}]}"
        #expect(body.utf8.count == 119)
        #expect(try self.decoder.decode(body).logs[0].fields == [Field("msg", text)])
    }

    @Test func resolvesEscapesInEveryPlace() throws {
        let body = #"{"\u005f_source__":"\u00e9","__logs__":[{"\ud83d\ude00":"\ud83d\ude00\/"}],"__topic__":"\u4e2d"}"#
        let group = try self.decoder.decode(body)
        #expect(group.source == "\u{E9}")
        #expect(group.topic == "\u{4E2D}")
        #expect(group.logs[0].fields == [Field("\u{1F600}", "\u{1F600}/")])
    }

    @Test func takesMembersInAnyOrderAndWhiteSpaceAnywhere() throws {
        let body =
            " {\n\t\"__tags__\" : { } , \"__logs__\" : [ { \"b\" : \"1\" , \"a\" : \"2\" } ]\r, \"__source__\" : \"\" } \n"
        let group = try self.decoder.decode(body)
        #expect(
            group == LogGroup(topic: "", source: "", tags: [], logs: [LogFields([Field("b", "1"), Field("a", "2")])])
        )
        #expect(group.logs[0].json == #"{"b":"1","a":"2"}"#)
    }

    @Test(arguments: ["12", "1.5e3", "-1", "\"12\"", "\"2026-01-01\""])
    func dropsTheTimeOfALog(time: String) throws {
        for log in ["{\"__time__\":\(time),\"k\":\"v\"}", "{\"k\":\"v\",\"__time__\":\(time)}"] {
            let group = try self.decoder.decode("{\"__source__\":\"s\",\"__logs__\":[\(log)]}")
            #expect(group.logs[0].json == #"{"k":"v"}"#)
        }
    }

    @Test func takesTwoSpellingsOfOneLetterForTwoKeys() throws {
        let fields = try self.decoder.decode(
            "{\"__source__\":\"s\",\"__logs__\":[{\"\u{E9}\":\"1\",\"e\u{301}\":\"2\"}]}"
        )
        .logs[0].fields
        #expect(fields.map { Array($0.name.utf8) } == [[0xC3, 0xA9], [0x65, 0xCC, 0x81]])
    }

    @Test(arguments: [
        "", " ", "null", "[]", "\"x\"", "{", "{}", "x",
        #"{"__source__":"s"}"#,
        #"{"__logs__":[{"k":"v"}]}"#,
        #"{"__source__":"s","__logs__":[]}"#,
        #"{"__source__":"s","__logs__":{}}"#,
        #"{"__source__":"s","__logs__":null}"#,
        #"{"__source__":"s","__logs__":[{}]}"#,
        #"{"__source__":"s","__logs__":[{"__time__":1}]}"#,
        #"{"__source__":"s","__logs__":["k"]}"#,
        #"{"__source__":"s","__logs__":[[]]}"#,
        #"{"__source__":"s","__logs__":[{"k":"v"},]}"#,
        #"{"__source__":"s","__logs__":[{"k":"v",}]}"#,
        #"{"__source__":"s","__logs__":[{"k":"v"}],}"#,
        #"{"__source__":"s","__logs__":[{"k":"v"}]"#,
        #"{"__source__":"s","__logs__":[{"k":"v"}]}}"#,
        #"{"__source__":"s","__logs__":[{"k":"v"}]} {}"#,
        #"{"__source__":"s","__logs__":[{"k" "v"}]}"#,
        #"{"__source__":"s","__logs__":[{k:"v"}]}"#,
        #"{"__source__":"s","__logs__":[{'k':'v'}]}"#,
        #"{"__source__":1,"__logs__":[{"k":"v"}]}"#,
        #"{"__source__":null,"__logs__":[{"k":"v"}]}"#,
        #"{"__source__":"s","__topic__":1,"__logs__":[{"k":"v"}]}"#,
        #"{"__source__":"s","__topic__":null,"__logs__":[{"k":"v"}]}"#,
        #"{"__source__":"s","__tags__":[],"__logs__":[{"k":"v"}]}"#,
        #"{"__source__":"s","__tags__":{"a":1},"__logs__":[{"k":"v"}]}"#,
        #"{"__source__":"s","__tags__":{"a":"1","a":"1"},"__logs__":[{"k":"v"}]}"#,
        #"{"__source__":"s","other":"x","__logs__":[{"k":"v"}]}"#,
        #"{"__source__":"s","__source__":"s","__logs__":[{"k":"v"}]}"#,
        #"{"__source__":"s","\u005f_source__":"s","__logs__":[{"k":"v"}]}"#,
        "{\"__source__\":\"s\",\"__logs__\":[{\"k\":\"a\nb\"}]}",
        #"{"__source__":"s","__logs__":[{"k":"\x41"}]}"#,
        #"{"__source__":"s","__logs__":[{"k":"\u12"}]}"#,
        #"{"__source__":"s","__logs__":[{"k":"\ud800"}]}"#,
        #"{"__source__":"s","__logs__":[{"k":"\ud800\u0041"}]}"#,
        #"{"__source__":"s","__logs__":[{"k":"\udc00"}]}"#,
        #"{"__source__":"s","__logs__":[{"k":"v\"}]}"#,
    ])
    func refusesWhatIsNotDocumented(body: String) {
        let failure = self.decoder.failure(body)
        #expect(failure?.status == 400)
        #expect(failure?.code == "PostBodyInvalid")
    }

    @Test(arguments: ["1", "1.5", "true", "false", "null", "{}", #"{"a":"b"}"#, "[]", #"["a"]"#])
    func refusesValuesThatAreNotStrings(value: String) {
        let failure = self.decoder.failure(#"{"__source__":"s","__logs__":[{"k":\#(value)}]}"#)
        #expect(failure?.code == "PostBodyInvalid")
        #expect(failure?.message == "Value in log is not string data type.")
    }

    @Test(arguments: ["null", "true", "{}", "[]"])
    func refusesATimeThatIsNone(value: String) {
        #expect(
            self.decoder.failure(#"{"__source__":"s","__logs__":[{"k":"v","__time__":\#(value)}]}"#)?.code
                == "PostBodyInvalid"
        )
    }

    @Test(arguments: [
        "__topic__", "__source__", "__partition_time__", "_extract_others_", "__extract_others__", "__tag__:a",
        "__raw__", "__pack_id__", "__client_ip__", "__receive_time__", #"\u005f_topic__"#,
    ])
    func refusesReservedKeysInLogs(key: String) {
        #expect(
            self.decoder.failure(#"{"__source__":"s","__logs__":[{"k":"v","\#(key)":"x"}]}"#)?.code
                == "PostBodyInvalid"
        )
    }

    @Test func takesOtherKeysWithUnderscores() throws {
        let body =
            #"{"__source__":"s","__logs__":[{"_":"1","__k__":"2","key-1":"3","1.a b":"4"}],"__tags__":{"__pack_id__":"x"}}"#
        let group = try self.decoder.decode(body)
        #expect(group.logs[0].fields.map(\.name) == ["_", "__k__", "key-1", "1.a b"])
        #expect(group.tags == [Field("__pack_id__", "x")])
    }

    @Test(arguments: ["__client_ip__", "__receive_time__", "__topic__", "__source__", "__time__"])
    func refusesReservedTags(key: String) {
        #expect(
            self.decoder.failure(#"{"__source__":"s","__tags__":{"\#(key)":"x"},"__logs__":[{"k":"v"}]}"#)?.code
                == "PostBodyInvalid"
        )
    }

    @Test(arguments: [#"{"a":"1","a":"2"}"#, #"{"a":"1","\u0061":"1"}"#, #"{"k":"1","__time__":1,"__time__":2}"#])
    func refusesKeysThatOccurTwice(log: String) {
        #expect(self.decoder.failure(#"{"__source__":"s","__logs__":[\#(log)]}"#)?.code == "PostBodyInvalid")
    }

    @Test func findsDuplicatesAmongManyKeys() {
        let members = (0..<1000).map { #""key\#($0)":"v""# }
        let fine = #"{"__source__":"s","__logs__":[{"# + members.joined(separator: ",") + "}]}"
        #expect(self.decoder.failure(fine) == nil)
        let bad = #"{"__source__":"s","__logs__":[{"# + (members + [#""key3":"v""#]).joined(separator: ",") + "}]}"
        #expect(self.decoder.failure(bad)?.message == "The key key3 occurs twice.")
    }

    @Test(
        arguments: [
            [0xEF, 0xBB, 0xBF], [0xFF, 0xFE],
        ] as [[UInt8]]
    )
    func refusesAByteOrderMark(mark: [UInt8]) {
        #expect(self.decoder.failure(mark + Array(Body.small.utf8))?.code == "PostBodyInvalid")
    }

    @Test(
        arguments: [
            [0x80], [0xC3], [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF8],
            [0xFF],
        ] as [[UInt8]]
    )
    func refusesWhatIsNotUTF8(bytes: [UInt8]) {
        let body = Array(#"{"__source__":"s","__logs__":[{"k":""#.utf8) + bytes + Array(#""}]}"#.utf8)
        #expect(self.decoder.failure(body)?.code == "PostBodyInvalid")
    }
}
