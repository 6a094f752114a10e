// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The query of `POST /logstores/{name}/shards/route`: the shard whose range holds the hash key takes the logs.
struct ShardRoute: Sendable, Equatable {
    /// 32 hexadecimal digits, in small letters.
    var key: String
    /// Numbers the writes of one key, from 1; `nil` where they are not numbered.
    var sequence: UInt64?

    init(key: String, sequence: UInt64?) {
        self.key = key
        self.sequence = sequence
    }

    /// From the query of a request, or throws the answer that the service would give.
    ///
    /// - Parameter mode: In strict mode there is nothing else in the query.
    init(_ query: [Field], mode: DecodingMode) throws(ServiceError) {
        var key: String?
        var names: Set<String> = []
        for field in query {
            guard names.insert(field.name).inserted else {
                throw .parameterInvalid("The parameter \(field.name) is there twice.")
            }
            switch field.name {
            case "key": key = field.value
            case "seqid": self.sequence = try Self.sequence(field.value)
            default:
                guard mode == .compatible else {
                    throw .parameterInvalid("There is no parameter \(field.name) here; there are: key, seqid.")
                }
            }
        }
        guard let key, key.utf8.count == 32, key.utf8.allSatisfy(Self.isHexadecimal) else {
            throw .parameterInvalid("The parameter key has to be 32 hexadecimal digits.")
        }
        self.key = key.lowercased()
    }

    private static func sequence(_ text: String) throws(ServiceError) -> UInt64 {
        // The parser would take a sign.
        guard text.utf8.first != UInt8(ascii: "+"), let number = UInt64(text), number > 0 else {
            throw .parameterInvalid("The parameter seqid has to be a number from 1.")
        }
        return number
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
