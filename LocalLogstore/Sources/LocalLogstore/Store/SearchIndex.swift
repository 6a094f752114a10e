// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// How logs are grouped and indexed.
///
/// The index does not lead to logs but to blocks of logs that follow each other. Most words of a log occur in its
/// neighbours too, so that this takes a tenth of the time and space; the logs of the few blocks it leads to are read and
/// compared.
enum SearchIndex {
    /// How many logs make a block. The logs `id` 1 to 256 are block 0.
    static let blockSize: Int64 = 256

    /// How many blocks share a table of words. A table whose blocks are all deleted can be dropped at once.
    static let blocksPerTable: Int64 = 256

    /// More text than this of one log is not indexed; its block is then searched always.
    static let maximumTextOfLog = 64 * 1024

    static func block(of id: Int64) -> Int64 { (id - 1) / self.blockSize }

    static func ids(of block: Int64) -> ClosedRange<Int64> {
        block * self.blockSize + 1...(block + 1) * self.blockSize
    }

    static func wordTable(of block: Int64, blocksPerTable: Int64) -> String { "words_\(block / blocksPerTable)" }

    /// Whether words of a field are found. Time and sequence number differ in every log; they would fill the index and
    /// turn up where nobody looks for them.
    static func hasWords(ofField name: String) -> Bool { name != "time" && name != "seq" }
}
