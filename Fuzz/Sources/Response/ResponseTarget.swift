// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import WebTracking

/// The readers of answers: whatever a server says, they trap on nothing, believe only the service, and keep within bounds.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzResponse(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var input = FuzzInput(UnsafeBufferPointer(start: start, count: count))
    // Signed delivery reads answers, too, and takes more of them into account. It is slower, so one input in four.
    if input.byte() & 3 == 3 {
        SigningDrive.run(&input)
        return 0
    }
    let status = input.choice([200, 204, 301, 400, 401, 403, 404, 408, 413, 429, 500, 503, input.short(), -1])
    var headers: [(name: String, value: String)] = []
    let hasRequestID = input.bool()
    if hasRequestID { headers.append(("x-log-requestid", input.text())) }
    var retryAfter: String?
    if input.bool() {
        let text = Responses.retryAfter(&input)
        retryAfter = text
        headers.append((input.bool() ? "Retry-After" : "retry-after", text))
    }
    if input.bool() { headers.append((input.text(), input.text())) }
    let wallTime = Int64(bitPattern: input.word())
    let body = Responses.body(&input)
    let response = TransportResponse(status: status, headers: headers, body: body)
    Responses.check(response, hasRequestID: hasRequestID, wallTime: wallTime)
    if let retryAfter { Responses.check(retryAfter: retryAfter, wallTime: wallTime) }
    Responses.compareWithFoundation(body)
    return 0
}

enum Responses {
    /// A text near those that servers send, or any.
    static func retryAfter(_ input: inout FuzzInput) -> String {
        switch input.byte() & 3 {
        case 0: return String(Int64(bitPattern: input.word()))
        case 1:
            let month = input.choice(["Jan", "Feb", "Mar", "Jun", "Dec", input.text()])
            let day = input.number(in: 0...40)
            let clock = "\(input.number(in: 0...30)):\(input.number(in: 0...70)):\(input.number(in: 0...70))"
            return "Sun, \(day) \(month) \(input.short() % 11_000) \(clock) GMT"
        default: return input.text()
        }
    }

    /// Bytes as they come, or an error as the service writes it with parts of them inside.
    static func body(_ input: inout FuzzInput) -> [UInt8] {
        guard input.bool() else { return input.rest() }
        let code = input.choice(["WriteQuotaExceed", "PostBodyTooLarge", "RequestTimeout", input.text()])
        return Array("{\"errorCode\":\"\(code)\",\"errorMessage\":".utf8) + input.rest() + Array("}".utf8)
    }

    static func check(_ response: TransportResponse, hasRequestID: Bool, wallTime: Int64) {
        let (verdict, error) = ResponseClassifier.classify(response, wallTime: wallTime)
        if verdict == .delivered {
            require(hasRequestID && (200..<300).contains(response.status), "an answer of nobody was believed")
            require(error == nil, "a success with an error")
        } else {
            require(error != nil, "a failure that says nothing")
        }
        if verdict == .reject { require(hasRequestID, "records given up for an answer of nobody") }
        if case .retry(_, let pause?) = verdict {
            require(pause >= .zero && pause <= .seconds(400_000_000_000), "a wait of \(pause)")
        }
        guard let error else { return }
        for text in [error.code, error.message] {
            require(text.unicodeScalars.count <= 500, "a long text")
            require(!self.hasControls(text), "a control character")
        }
        require(!self.hasControls(error.description), "a control character in the description")
    }

    private static func hasControls(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.value < 32 || (127..<160).contains($0.value) }
    }

    /// A date that is taken is the date that the C library makes of the same numbers.
    static func check(retryAfter text: String, wallTime: Int64) {
        let pause = RetryAfter.parse(text, wallTime: wallTime)
        guard let seconds = RetryAfter.date(text) else { return }
        require(pause != nil, "a date that is no time to wait")
        let parts = text.split(separator: " ")
        let clock = parts[4].split(separator: ":").compactMap { Int32($0) }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        var time = tm()
        time.tm_mday = Int32(parts[1])!
        time.tm_mon = Int32(months.firstIndex(of: String(parts[2]))!)
        time.tm_year = Int32(parts[3])! - 1900
        (time.tm_hour, time.tm_min, time.tm_sec) = (clock[0], clock[1], clock[2])
        require(Int(seconds) == timegm(&time), "\(text) is not \(seconds)")
    }

    /// What this library's parser takes, Foundation's takes too, and finds the same in it.
    static func compareWithFoundation(_ body: [UInt8]) {
        guard let value = try? JSONValue.parse(body), let known = Comparison(value) else { return }
        guard let other = try? JSONSerialization.jsonObject(with: Data(body), options: [.fragmentsAllowed]) else {
            return require(false, "Foundation does not take \(String(decoding: body, as: UTF8.self).debugDescription)")
        }
        require(known.isEqual(to: other), "Foundation reads something else")
    }
}

/// A parsed text as far as Foundation's tree can say the same: without numbers that it rounds or refuses, and without
/// objects that have a name twice.
private indirect enum Comparison {
    case null
    case bool(Bool)
    case number
    case string(String)
    case array([Comparison])
    case object([String: Comparison])

    init?(_ value: JSONValue) {
        switch value {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .number(let text):
            guard let number = Double(text), number.isFinite else { return nil }
            self = .number
        case .string(let text): self = .string(text)
        case .array(let values):
            let all = values.compactMap { Comparison($0) }
            guard all.count == values.count else { return nil }
            self = .array(all)
        case .object(let members):
            var all: [String: Comparison] = [:]
            for member in members {
                guard let value = Comparison(member.value), all.updateValue(value, forKey: member.name) == nil else {
                    return nil
                }
            }
            self = .object(all)
        }
    }

    func isEqual(to other: Any) -> Bool {
        switch self {
        case .null: return other is NSNull
        case .bool(let flag): return other as? Bool == flag
        case .number: return other is NSNumber || other is Double || other is Int
        case .string(let text): return (other as? String)?.utf8.elementsEqual(text.utf8) ?? false
        case .array(let values):
            guard let others = other as? [Any], others.count == values.count else { return false }
            return zip(values, others).allSatisfy { $0.isEqual(to: $1) }
        case .object(let values):
            guard let others = other as? [String: Any], others.count == values.count else { return false }
            return values.allSatisfy { name, value in others[name].map { value.isEqual(to: $0) } ?? false }
        }
    }
}
