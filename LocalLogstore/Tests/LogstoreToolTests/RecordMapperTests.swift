// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import Testing

@testable import LogstoreTool

@Suite("Records of lines")
struct RecordMapperTests {
    private func map(_ line: String, _ format: TextFormat = .ndjson) -> (OutgoingRecord?, RecordMapper) {
        var mapper = RecordMapper(format: format, level: .notice, messageLimit: 1000)
        let records = mapper.records(Array(line.utf8)[...])
        #expect(records.count <= 1)
        return (records.first, mapper)
    }

    @Test func takesALineAsItIs() throws {
        for line in ["hello", "", " x\t", #"{"message":"m"}"#, "\u{0}\u{1F600}"] {
            let record = try #require(self.map(line, .text).0)
            #expect(record.message == line)
            #expect(record.level == .notice)
            #expect(record.metadata.isEmpty)
        }
    }

    @Test func repairsWhatIsNotUTF8() {
        var mapper = RecordMapper(format: .text, level: .info, messageLimit: 1000)
        let records = mapper.records([0x61, 0xFF, 0x62])
        #expect(records.map(\.message) == ["a\u{FFFD}b"])
        #expect(mapper.repairedLines == 1)
        #expect(mapper.malformedLines == 0)
    }

    @Test func sendsLongTextInPieces() {
        var mapper = RecordMapper(format: .ndjson, level: .info, messageLimit: 10)
        let line = "{ \u{1F600}\u{1F600}\u{1F600}0123456789"
        let records = mapper.records(Array("...\(line)".utf8).dropFirst(3))
        #expect(records.map(\.message) == ["{ \u{1F600}\u{1F600}", "\u{1F600}012345", "6789"])
        #expect(mapper.malformedLines == 1)
        let object = #"{"message":"longer than ten bytes"}"#
        #expect(mapper.records(Array(object.utf8)[...]).map(\.message) == ["longer than ten bytes"])
        #expect(mapper.lineLimit > 10)
        #expect(RecordMapper(format: .text, level: .info, messageLimit: 10).lineLimit == 10)
    }

    @Test func takesMembersAsMetadata() throws {
        let (record, mapper) = self.map(
            #"{"message":"m","level":"error","s":"x","n":1.50,"big":12345678901234567890123,"t":true,"z":null,"#
                + #""o":{"a":{"b":"c"},"e":{}},"l":[1,"x",{"k":false},[]]}"#
        )
        let mapped = try #require(record)
        #expect(mapped.message == "m")
        #expect(mapped.level == .error)
        #expect(
            mapped.metadata
                == [
                    "s": "x", "n": "1.50", "big": "12345678901234567890123", "t": "true", "z": "null",
                    "o": ["a": ["b": "c"], "e": .dictionary([:])], "l": ["1", "x", ["k": "false"], .array([])],
                ]
        )
        #expect(mapper.malformedLines == 0)
    }

    @Test(arguments: [
        ("trace", Logger.Level.trace), ("INFO", .info), ("Warn", .warning), ("warning", .warning), ("fatal", .critical),
        ("err", .error),
    ])
    func knowsLevels(name: String, level: Logger.Level) throws {
        let record = try #require(self.map(#"{"level":"\#(name)","message":""}"#).0)
        #expect(record.level == level)
        #expect(record.metadata.isEmpty)
        #expect(record.message.isEmpty)
    }

    @Test(arguments: [#"{"a":1}"#, #"{ "level" : "info", "k": {"x": []} }"#, "{}"])
    func showsALineWithoutAMessageByItsText(line: String) throws {
        #expect(try #require(self.map(line).0).message == line)
    }

    @Test(arguments: [#""loud""#, "3", "1e400", "null", #"{"a":"b"}"#, "[30]"])
    func keepsALevelThatIsNone(json: String) throws {
        let record = try #require(self.map(#"{"level":\#(json)}"#).0)
        #expect(record.level == .notice)
        #expect(record.metadata["level"] != nil)
    }

    @Test(arguments: [("5", "5"), (#"{"a":[1,"x\n"]}"#, #"{"a":[1,"x\n"]}"#), ("null", "null")])
    func takesAnyMessage(json: String, text: String) throws {
        #expect(try #require(self.map(#"{"message":\#(json)}"#).0).message == text)
    }

    @Test(arguments: [
        "not json", "{", "[]", "1", "\"x\"", #"{"a":1}{"b":2}"#, #"{"a":"\ud8"}"#, "{'a':1}",
    ])
    func sendsOtherLinesAsText(line: String) throws {
        let (record, mapper) = self.map(line)
        #expect(try #require(record).message == line)
        #expect(mapper.malformedLines == 1)
    }

    @Test("A name that is there twice gets a number, half a character becomes U+FFFD, and the line is counted once")
    func mendsLines() throws {
        for (line, metadata) in [
            (#"{"msg":"m","a":1,"a":2,"a_2":3,"a":4}"#, ["a": "1", "a_3": "2", "a_2": "3", "a_4": "4"]),
            (#"{"msg":"m","o":{"x":1,"x":2}}"#, ["o": ["x": "1", "x_2": "2"]]),
            (#"{"msg":"m","a":"\ud83d"}"#, ["a": "\u{FFFD}"]), (#"{"msg":"m","a":"x\ude00y"}"#, ["a": "x\u{FFFD}y"]),
            (#"{"msg":"m","a":"\ud83d\ud83d\ude00"}"#, ["a": "\u{FFFD}\u{1F600}"]),
            (#"{"msg":"m","a":"\ud83d\n"}"#, ["a": "\u{FFFD}\n"]),
            (#"{"msg":"m","level":"error","level":50}"#, ["level_2": "50"]),
            // Two spellings of one name.
            (#"{"msg":"m","caf\u00e9":"1","cafe\u0301":"2"}"#, ["caf\u{E9}": "1", "caf\u{E9}_2": "2"]),
            (#"{"msg":"m","o":{"caf\u00e9":"1","cafe\u0301":"2"}}"#, ["o": ["caf\u{E9}": "1", "caf\u{E9}_2": "2"]]),
            (
                #"{"msg":"m","\u00e9":"1","e\u0301":"2","e\u0301_2":"3"}"#,
                ["\u{E9}": "1", "\u{E9}_3": "2", "\u{E9}_2": "3"]
            ),
        ] as [(String, Logger.Metadata)] {
            let (record, mapper) = self.map(line)
            #expect(try #require(record).message == "m")
            #expect(try #require(record).metadata == metadata)
            #expect(mapper.mendedLines == 1 && mapper.malformedLines == 0)
        }
    }

    @Test("An object that is not UTF-8 stays an object, and a byte-order mark is no part of it")
    func keepsObjects() {
        var mapper = RecordMapper(format: .ndjson, level: .info, messageLimit: 1000)
        let bad = mapper.records((Array(#"{"msg":"a"#.utf8) + [0xFF] + Array(#"","level":"error"}"#.utf8))[...])
        #expect(bad.map(\.message) == ["a\u{FFFD}"] && bad.map(\.level) == [.error])
        #expect(mapper.repairedLines == 1 && mapper.malformedLines == 0)
        _ = mapper.records(Array(#"{"MESSAGE":[255,97],"PRIORITY":"6"}"#.utf8)[...])
        #expect(mapper.repairedLines == 2)
        let marked = mapper.records(([0xEF, 0xBB, 0xBF] + Array(#"{"msg":"m"}"#.utf8))[...])
        #expect(marked.map(\.message) == ["m"])
    }

    private func records(_ lines: [String], limit: Int = 1000) -> ([OutgoingRecord], RecordMapper) {
        var mapper = RecordMapper(format: .ndjson, level: .notice, messageLimit: limit)
        let records = lines.flatMap { mapper.records(Array($0.utf8)[...]) } + mapper.finish()
        return (records, mapper)
    }

    @Test("Docker's json-file: the program's line counts, with the runtime's time; pieces are one line again")
    func readsJSONFiles() throws {
        func line(_ log: String, _ stream: String = "stdout", _ second: Int = 5) -> String {
            #"{"log":"\#(log)","stream":"\#(stream)","time":"2026-01-02T03:04:0\#(second).678Z"}"#
        }
        let piece = String(repeating: "w", count: 16_384)
        let (records, mapper) = self.records(
            [
                line(#"one\n"#), line(piece), line(#"three\r\n"#, "stderr"), line(#"o\n"#, "stdout", 6),
                line(#"{\"level\":\"error\",\"msg\":\"m\",\"time\":\"2026-01-02T03:04:04.678Z\",\"stream\":\"x\"}\n"#),
                line("rest"),
            ],
            limit: 20_000
        )
        #expect(records.map(\.message) == ["one", "three", piece + "o", "m", "rest"])
        #expect(records.map(\.level) == [.notice, .notice, .notice, .error, .notice])
        #expect(
            records.map(\.metadata) == [
                ["stream": "stdout"], ["stream": "stderr"], ["stream": "stdout"], ["stream": "x"], ["stream": "stdout"],
            ]
        )
        let second: Int64 = 1_767_323_045_678_000_000
        // Of pieces that of the first.
        #expect(records.map(\.time) == [second, second, second, second - 1_000_000_000, second])
        #expect(mapper.malformedLines == 0)
        // Others have such members, too.
        for other in [
            #"{"log":"x","stream":"stdout"}"#, #"{"log":"x","stream":"main","time":"2026-01-02T03:04:05Z"}"#,
            #"{"log":"x","stream":"stdout","time":"2026-01-02T03:04:05Z","msg":"m"}"#,
        ] {
            #expect(try #require(self.map(other).0).metadata["log"] == "x")
        }
    }

    @Test("A short piece of Docker's is the last that its program wrote, and no beginning of the next one's line")
    func joinsFullPiecesOnly() {
        func line(_ log: String) -> String {
            #"{"log":"\#(log)","stream":"stdout","time":"2026-01-02T03:04:05.678Z"}"#
        }
        // In bytes, not in characters.
        let full = String(repeating: "\u{E9}", count: 8_192)
        let short = String(full.dropLast()) + "x"
        for (logs, messages) in [
            (["panic", #"started\n"#], ["panic", "started"]), ([#"50 %\r"#, #"next\r\n"#], ["50 %\r", "next"]),
            ([short, #"next\n"#], [short, "next"]), ([full, "end", #"next\n"#], ["\(full)end", "next"]),
            ([full, full, #"\n"#], ["\(full)\(full)"]),
            ([full], [full]), ([#"{\"msg\":\"m\"}"#, #"{\"msg\":\"n\"}\n"#], ["m", "n"]),
        ] as [([String], [String])] {
            let (records, mapper) = self.records(logs.map { line($0) }, limit: 100_000)
            #expect(records.map(\.message) == messages)
            #expect(mapper.malformedLines == 0)
        }
        // It is there at once, and not only when the next comes.
        #expect(self.map(line("panic")).0?.message == "panic")
    }

    @Test("CRI: the program's line counts, with the runtime's time; pieces are one line again")
    func readsCRI() throws {
        let (records, mapper) = self.records([
            "2026-01-02T03:04:05.678000001Z stdout F one  two ", "2026-01-02T03:04:05.678Z stdout P {\"msg\":",
            "2026-01-02T03:04:05.678Z stderr F ", "2026-01-02T11:04:06.678+08:00 stdout F:x \"m\"}",
            "2026-01-02T03:04:05.678Z stdout G x", "2026-01-02T03:04:05 stdout F x", "2026 stdout F x", "5 std",
        ])
        #expect(
            records.map(\.message) == [
                "one  two ", "", "m", "2026-01-02T03:04:05.678Z stdout G x", "2026-01-02T03:04:05 stdout F x",
                "2026 stdout F x", "5 std",
            ]
        )
        let second: Int64 = 1_767_323_045_678_000_000
        #expect(records.map(\.time) == [second + 1, second, second, nil, nil, nil, nil])
        #expect(
            records.prefix(3).map(\.metadata) == [["stream": "stdout"], ["stream": "stderr"], ["stream": "stdout"]]
        )
        #expect(mapper.malformedLines == 4)
    }

    @Test(
        "CRI: another program's object behind a line that has no end is a record of its own",
        arguments: ["bye", #"{"msg":"#]
    )
    func keepsAnObjectBehindALineWithoutAnEnd(last: String) {
        let (records, _) = self.records([
            "2026-01-02T03:04:05Z stdout P \(last)",
            #"2026-01-02T03:04:06Z stdout F {"level":"error","msg":"b"}"#,
        ])
        #expect(records.map(\.message) == [last, "b"])
        #expect(records.map(\.level) == [.notice, .error])
        #expect(records.map(\.time) == [1_767_323_045_000_000_000, 1_767_323_046_000_000_000])
    }

    @Test("CRI: what is no object without the piece before stays with it")
    func joinsWhatBelongsTogether() {
        let (records, _) = self.records([
            #"2026-01-02T03:04:07Z stdout P {"msg":"c","inner":"#, #"2026-01-02T03:04:07Z stdout F {"a":1}}"#,
            "2026-01-02T03:04:08Z stdout P bye", "2026-01-02T03:04:08Z stdout F {now",
            "2026-01-02T03:04:09Z stdout P bye", "2026-01-02T03:04:09Z stdout F  or later",
        ])
        #expect(records.map(\.message) == ["c", "bye{now", "bye or later"])
    }

    @Test("A container's line that never ends comes in pieces")
    func boundsPartialLines() {
        let piece = String(repeating: "x", count: 15)
        let (records, _) = self.records(
            [String](repeating: "2026-01-02T03:04:05Z stdout P \(piece)", count: 100),
            limit: 20
        )
        #expect(records.map(\.message).joined() == String(repeating: piece, count: 100))
        #expect(records.allSatisfy { $0.message.utf8.count <= 20 })
        // Not all at the end.
        var mapper = RecordMapper(format: .ndjson, level: .info, messageLimit: 20)
        for _ in 0..<100 { _ = mapper.records(Array("2026-01-02T03:04:05Z stdout P \(piece)".utf8)[...]) }
        #expect(mapper.finish().count < 10)
    }

    @Test("A member that is named on the command line comes before the usual ones")
    func takesNamedMembers() throws {
        let names = MemberNames(message: "text", level: "lv", time: "at", label: "who")
        var mapper = RecordMapper(format: .ndjson, level: .notice, messageLimit: 1000, names: names)
        let line =
            #"{"text":"t","lv":"ERROR","at":1767323045,"who":"w","message":"m","level":"info","time":1,"label":"l"}"#
        let record = try #require(mapper.records(Array(line.utf8)[...]).first)
        #expect(record.message == "t" && record.level == .error && record.label == "w")
        #expect(record.time == 1_767_323_045_000_000_000)
        #expect(record.metadata == ["message": "m", "level": "info", "time": "1", "label": "l"])
        // Where they are not there, or not understood, the usual ones are as good.
        let other = try #require(mapper.records(Array(#"{"msg":"m","lv":"loud","level":"info"}"#.utf8)[...]).first)
        #expect(other.message == "m" && other.level == .info && other.metadata == ["lv": "loud"])
    }

    @Test func skipsEmptyLinesBetweenObjects() {
        for line in ["", " ", "\t "] {
            let (record, mapper) = self.map(line)
            #expect(record == nil)
            #expect(mapper.malformedLines == 0)
        }
    }
}
