// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import ReferenceRecords

/// What is logged.
enum Workload: Sendable {
    case reference(ReferenceRecord)
    /// The reference record with a secret.
    case secret
    /// The reference record, with metadata that live on for a while.
    case kept(KeptDictionaries)
    /// One and the same record each time.
    case same
    /// The reference record at a level that is switched off.
    case disabled
    /// A message and metadata that are made beforehand, to vary their sizes and nothing else.
    case prepared(message: Logger.Message, metadata: Logger.Metadata)

    /// What goes by this name; `nil` if nothing does.
    static func named(_ name: String) -> Workload? {
        switch name {
        case "secret": .secret
        case "same": .same
        default: ReferenceRecord(rawValue: name).map { .reference($0) }
        }
    }

    /// A message of `bytes` bytes and `values` metadata values of 12 bytes.
    static func prepared(messageBytes bytes: Int, metadataValues values: Int) -> Workload {
        let words = "the quick brown fox jumps over the lazy dog and runs on "
        let text = String(repeating: words, count: bytes / words.utf8.count + 1).prefix(bytes)
        let metadata = (0..<values).map { ("key.\($0)", Logger.MetadataValue.string("value-\(100_000 + $0)")) }
        return .prepared(
            message: Logger.Message(stringLiteral: String(text)),
            metadata: Logger.Metadata(uniqueKeysWithValues: metadata)
        )
    }

    @inline(__always)
    func log(_ index: Int, to logger: Logger) {
        switch self {
        case .reference(let record): record.log(index, to: logger)
        case .secret: ReferenceRecord.logSecret(index, to: logger)
        case .kept(let dictionaries): ReferenceRecord.logKept(index, in: dictionaries, to: logger)
        case .same: ReferenceRecord.logSame(to: logger)
        case .disabled: ReferenceRecord.logDisabled(index, to: logger)
        case .prepared(let message, let metadata): Self.log(message, metadata, to: logger)
        }
    }

    @inline(never)
    private static func log(_ message: Logger.Message, _ metadata: Logger.Metadata, to logger: Logger) {
        logger.info(message, metadata: metadata)
    }
}
