// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore
import Testing

@Suite("Query of a GET")
struct TrackQueryTests {
    private func decode(_ query: String, additional: [Field] = []) throws(ServiceError) -> LogGroup {
        try TrackQueryDecoder().decode(
            target: "/logstores/app/track?" + query,
            clientAddress: "10.0.0.1",
            additional: additional
        )
    }

    private func code(_ query: String) -> String? {
        do {
            _ = try self.decode(query)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func readsTopicSourceAndFields() throws {
        let group = try self.decode("APIVersion=0.6.0&__topic__=t&__source__=s&b=1&a=%E4%B8%AD+x%2By&c=&d&e=f=g")
        #expect(group.topic == "t")
        #expect(group.source == "s")
        #expect(
            group.logs[0].fields
                == [Field("b", "1"), Field("a", "\u{4E2D} x+y"), Field("c", ""), Field("d", ""), Field("e", "f=g")]
        )
    }

    @Test func fillsInTheClientAddress() throws {
        let group = try self.decode("APIVersion=0.6.0&k=v")
        #expect(group.source == "10.0.0.1")
        #expect(group.topic.isEmpty)
    }

    @Test func addsFieldsThatAreNotThere() throws {
        let group = try self.decode("APIVersion=0.6.0&k=v&a=own", additional: [Field("a", "x"), Field("b", "y")])
        #expect(group.logs[0].fields == [Field("k", "v"), Field("a", "own"), Field("b", "y")])
    }

    @Test(arguments: [
        ("k=v", "MissingAPIVersion"), ("APIVersion=0.5&k=v", "InvalidAPIVersion"),
        ("APIVersion=0.6.0", "ParameterInvalid"), ("APIVersion=0.6.0&__time__=1", "ParameterInvalid"),
        ("APIVersion=0.6.0&k=%zz", "ParameterInvalid"), ("APIVersion=0.6.0&k=%f", "ParameterInvalid"),
        ("APIVersion=0.6.0&k=%ff", "ParameterInvalid"), ("APIVersion=0.6.0&k=1&k=2", "ParameterInvalid"),
        ("APIVersion=0.6.0&=v", "InvalidKey"), ("APIVersion=0.6.0&__raw__=v", "ParameterInvalid"),
    ])
    func refuses(query: String, expected: String) {
        #expect(self.code(query) == expected)
    }

    @Test func countsBytes() {
        let head = "/logstores/app/track?APIVersion=0.6.0&k="
        let fits = String(repeating: "x", count: 16 * 1024 - 1 - head.utf8.count)
        #expect(self.code("APIVersion=0.6.0&k=" + fits) == nil)
        #expect(self.code("APIVersion=0.6.0&k=" + fits + "x") == "ParameterInvalid")
        let long = String(repeating: "k", count: 129)
        #expect(self.code("APIVersion=0.6.0&\(long)=v") == "InvalidKey")
        #expect(self.code("APIVersion=0.6.0&k=v&__topic__=\(long)") == "ParameterInvalid")
    }
}
