// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LogstoreTool

@Suite("KEY=VALUE")
struct KeyValueTests {
    @Test(arguments: [("a=b", "a", "b"), ("a=", "a", ""), ("a=b=c", "a", "b=c"), ("a b= c", "a b", " c")])
    func parses(argument: String, key: String, value: String) {
        let parsed = KeyValue(argument: argument)
        #expect(parsed?.key == key)
        #expect(parsed?.value == value)
    }

    @Test(arguments: ["", "a", "=b", "="])
    func refuses(argument: String) {
        #expect(KeyValue(argument: argument) == nil)
    }
}
