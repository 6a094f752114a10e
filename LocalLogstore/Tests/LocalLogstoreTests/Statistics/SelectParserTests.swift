// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LocalLogstore

@Suite("Statements")
struct SelectParserTests {
    private func statement(_ text: String) throws -> SelectStatement {
        try #require(try SearchQuestion(parsing: "* | " + text).statement)
    }

    @Test func readsEachPart() throws {
        let ms = SelectExpression.field(.log("ms"))
        let statement = try self.statement(
            "SELECT path, count(*) AS n, approx_percentile(ms, 0.95), sum(ms) / 2 from log GROUP BY path ORDER BY n DESC, 3 LIMIT 20"
        )
        #expect(
            statement
                == SelectStatement(
                    columns: [
                        .init(name: "path", expression: .field(.log("path"))),
                        .init(name: "n", expression: .countAll),
                        .init(name: "approx_percentile(ms, 0.95)", expression: .percentile(ms, 0.95)),
                        .init(name: "sum(ms) / 2", expression: .binary(.divided, .call(.sum, [ms]), .integer(2))),
                    ],
                    groups: [.column(0)],
                    orders: [.init(term: .column(1), isDescending: true), .init(term: .column(2))],
                    limit: 20
                )
        )
    }

    @Test(arguments: [
        ("\"a b\"", SelectExpression.field(.log("a b"))), ("http.status", .field(.log("http.status"))),
        ("\"__tag__:env\"", .field(.tag("env"))), ("__topic__", .field(.topic)), ("__source__", .field(.source)),
        ("\"say \"\"x\"\"\"", .field(.log("say \"x\""))), ("'it''s'", .text("it's")), ("1.5", .real(1.5)),
        ("1 + 2 * 3", .binary(.plus, .integer(1), .binary(.times, .integer(2), .integer(3)))),
        ("(1 + 2) * 3", .binary(.times, .binary(.plus, .integer(1), .integer(2)), .integer(3))),
        ("8 - 2 - 1", .binary(.minus, .binary(.minus, .integer(8), .integer(2)), .integer(1))),
        ("-ms", .negative(.field(.log("ms")))), ("round(1.25, 1)", .call(.round, [.real(1.25), .integer(1)])),
        ("count", .field(.log("count"))), ("支付", .field(.log("支付"))),
        ("date_trunc('minute', __time__)", .truncated(.minute)),
    ])
    func readsValues(text: String, expression: SelectExpression) throws {
        #expect(try self.statement("select \(text)").columns.map(\.expression) == [expression])
    }

    @Test func knowsWhatIsATime() throws {
        let text = "select date_trunc('hour', __time__), __time__ - __time__ % 60, __time__ + 1, __time__"
        #expect(try self.statement(text).columns.map(\.expression.isTime) == [true, true, false, true])
        let ends = "select min(__time__), max(__time__), min(ms), sum(__time__), max(date_trunc('hour', __time__))"
        #expect(try self.statement(ends).columns.map(\.expression.isTime) == [true, true, false, false, true])
    }

    @Test func dividesSearchAndStatement() throws {
        let question = try SearchQuestion(parsing: #"level: error "a | b" "\"|c" | select 'x|y'"#)
        #expect(question.text == #"level: error "a | b" "\"|c" "#)
        #expect(question.statement?.columns.map(\.expression) == [.text("x|y")])
        #expect(try SearchQuestion(parsing: "a").statement == nil)
        #expect(try SearchQuestion(parsing: "| select count(*)").search == .all)
    }

    @Test(arguments: [
        ("", "a statement begins with select", 5, 0),
        ("update logs", "a statement begins with select", 5, 6),
        ("select *", "name the columns", 12, 1),
        ("select", "a field, a number or a function is missing", 11, 0),
        (
            "select median(ms)", "there is no function median; there are abs, approx_distinct, approx_percentile, avg",
            12, 6
        ),
        ("select load_extension('x')", "there is no function load_extension", 12, 14),
        ("select path, count(*)", "path differs among the logs", 12, 4),
        ("select path + count(*) group by ms", "differs among the logs", 12, 15),
        ("select count(*) group by count(*)", "not by what is counted", 30, 8),
        ("select count(*) order by path", "path differs", 30, 4),
        ("select ms order by count(*)", "ms differs", 12, 2),
        ("select 1 order by path, count(*)", "path differs", 23, 4),
        ("select date_trunc('hour', date_trunc('minute', __time__))", "write date_trunc('minute', __time__)", 12, 50),
        ("select sum(count(*))", "cannot be counted again", 12, 13),
        ("select ms where ms > 1", "put conditions in the search", 15, 5),
        ("select count(*) > 1", "put conditions in the search", 21, 1),
        ("select ms from logs", "leave from out", 20, 4),
        ("select ms; drop table logs", "nothing can stand here", 16, 4),
        ("select ms | select ms", "nothing can stand here", 15, 1),
        ("select ms limit 0", "limit takes a number from 1 to 10000", 21, 1),
        ("select ms limit 99999", "limit takes a number", 21, 5),
        ("select ms order by 2", "there is no column 2", 24, 1),
        ("select count(*) limit 1 group by ms", "the order is select, group by, order by, limit", 29, 5),
        ("select approx_percentile(ms, 95)", "with a share from 0 to 1", 12, 25),
        ("select approx_percentile(ms, n)", "with a share from 0 to 1", 12, 24),
        ("select date_trunc('fortnight', __time__)", "there are second, minute, hour, day, week, month", 12, 33),
        ("select sum(ms, n)", "sum takes 1 value", 12, 10), ("select count()", "count takes 1 value", 12, 7),
        ("select 'x", "this quote is never closed", 12, 1), ("select (1", "this bracket is never closed", 12, 1),
        ("select 1x", "\"1x\" is no number", 12, 2), ("select #", "can stand only in quotes", 12, 1),
        ("select distinct path", "write select … group by …", 12, 8),
        ("select case when 1", "there is no case", 12, 4),
        ("select group", "a field called group stands in double quotes", 12, 5),
        ("select ((((((((((((((((((1))))))))))))))))))", "nested over 16 levels deep", 28, 1),
    ])
    func pointsAtWhatIsWrong(text: String, message: String, column: Int, length: Int) throws {
        let error = try #require(throws: SearchError.self) { try SearchQuestion(parsing: "* | " + text) }
        #expect(error.message.contains(message), "\(error.message)")
        #expect(error.column == column && error.length == length, "\(error.column) \(error.length)")
    }

    @Test func keepsTheNumbersOfFewPercentiles() throws {
        func select(_ count: Int) -> String {
            "| select " + Array(repeating: "approx_percentile(ms, 0.5)", count: count).joined(separator: ", ")
        }
        #expect(try SearchQuestion(parsing: select(10)).statement?.columns.count == 10)
        let error = try #require(throws: SearchError.self) { try SearchQuestion(parsing: select(11)) }
        #expect(error.message.contains("10 approx_percentile at most") && error.column == 290)
    }

    /// Whatever a statement says, what SQLite reads is made of these words alone.
    @Test func letsNoTextThrough() throws {
        let hostile = "x\"; DROP TABLE logs; --"
        let quoted = hostile.replacing("\"", with: "\"\"")
        let text =
            "select \"\(quoted)\" as \"\(quoted)\", 'it''s', lower(\"__tag__:\(quoted)\") as y, 7, 1.5 order by 1"
        let condition = try self.statement(text).condition(on: Condition(sql: "SELECT 1"))
        #expect(
            condition.sql == """
                SELECT field(fields, ?), ?, lower((SELECT field(tags, ?) FROM requests WHERE requests.id = request_id)), \
                ?, ? FROM (SELECT 1) ORDER BY 1 ASC NULLS LAST LIMIT ?
                """
        )
        #expect(condition.arguments.count == 6)
    }
}
