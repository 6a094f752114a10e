// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Writes logs as GetLogs answers them: one flat object each, all of whose values are text.
enum LogsAnswer {
    static func array(_ logs: [StoredLog]) -> [UInt8] {
        var bytes = [UInt8(ascii: "[")]
        bytes.reserveCapacity(logs.count * 600)
        for (index, log) in logs.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            self.append(log, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }

    /// The form of `POST /logstores/{name}/logs`.
    static func object(_ logs: [StoredLog], query: String) -> [UInt8] {
        let meta = JSONValue.object([
            ("progress", .string("Complete")), ("count", .number(String(logs.count))),
            ("processedRows", .number(String(logs.count))), ("hasSQL", .bool(false)), ("isAccurate", .bool(true)),
            ("mode", .number("0")), ("whereQuery", .string(query)), ("aggQuery", .string("")),
        ])
        return Array("{\"meta\":\(meta.json),\"data\":".utf8) + self.array(logs) + Array("}".utf8)
    }

    private static func append(_ stored: StoredLog, to bytes: inout [UInt8]) {
        let nanoseconds = stored.nanoseconds
        var fields = [Field("__source__", stored.request.source), Field("__time__", String(stored.seconds))]
        if nanoseconds > 0 { fields.append(Field("__time_ns_part__", String(nanoseconds))) }
        fields.append(Field("__topic__", stored.request.topic))
        fields += stored.request.tags.map { Field("__tag__:" + $0.name, $0.value) }
        // Both are flat objects, and the names of these are reserved.
        bytes.append(contentsOf: JSONWriter.object(fields).utf8.dropLast())
        bytes.append(UInt8(ascii: ","))
        bytes.append(contentsOf: stored.log.json.utf8.dropFirst())
    }
}

extension StoredLog {
    /// Whole seconds since 1970.
    var seconds: Int64 { self.time.floored(to: 1_000_000) / 1_000_000 }

    /// What the time has besides. The store keeps microseconds.
    var nanoseconds: Int64 { (self.time - self.seconds * 1_000_000) * 1_000 }
}
