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
        let day = seconds / 86_400
        // Days from civil, backwards (Howard Hinnant).
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let date = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let time = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map(two).joined(separator: ":")
        return "\(self.days[Int(day % 7)]), \(two(date)) \(self.months[Int(month) - 1]) \(year) \(time) GMT"
    }
}
