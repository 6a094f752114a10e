// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// Answers as the service gives them, and as things in between do.
enum Answers {
    static func delivered(id: Int) -> TransportResponse {
        TransportResponse(status: 200, headers: self.headers(id: id), body: Array("{}".utf8))
    }

    static func error(_ status: Int, _ code: String, _ message: String, id: Int) -> TransportResponse {
        TransportResponse(
            status: status,
            headers: self.headers(id: id) + [(name: "Content-Type", value: "application/json")],
            body: Array(#"{"errorCode":"\#(code)","errorMessage":"\#(message)"}"#.utf8)
        )
    }

    /// A page of a proxy, a load balancer or a captive portal.
    static func page(_ status: Int) -> TransportResponse {
        TransportResponse(
            status: status,
            headers: [(name: "Server", value: "nginx"), (name: "Content-Type", value: "text/html")],
            body: Array("<html><body><h1>\(status)</h1></body></html>".utf8)
        )
    }

    /// 24 upper-case hexadecimal digits.
    private static func headers(id: Int) -> [(name: String, value: String)] {
        let digits = String(id, radix: 16, uppercase: true)
        return [
            (name: "Server", value: "Tengine"),
            (name: "x-log-requestid", value: String(repeating: "0", count: 24 - digits.count) + digits),
            (name: "Access-Control-Allow-Origin", value: "*"),
        ]
    }
}

/// Dates as HTTP writes them, such as `Thu, 01 Jan 2026 00:00:00 GMT`.
enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    static func text(_ wallTime: Int64) -> String {
        let seconds = wallTime / 1_000_000_000
        let day = Int(seconds / 86_400)
        let (year, month, date) = TimestampFormatter.civil(day: day)
        func two(_ value: some BinaryInteger) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let time = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map { two($0) }.joined(separator: ":")
        return "\(self.days[day % 7]), \(two(date)) \(self.months[month - 1]) \(year) \(time) GMT"
    }
}
