// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Decides where a record goes that does not simply fit into the open batch.
enum RoomPolicy {
    enum Step: Equatable {
        /// There is no memory for a record of this level.
        case refuse
        /// A batch in a file has to go first.
        case evict
        /// Into the open batch as it is.
        case use
        /// Into a new batch behind the open one, whose file is to be larger if `growing`.
        case replace(growing: Bool)
        /// Into the open batch with more memory.
        case grow
        /// Into a new batch.
        case open
    }

    /// What is known of the open batch.
    struct Open {
        var isInFile: Bool
        /// Whether a request may not hold the record, too.
        var isFull: Bool
        /// Whether it fits in.
        var hasRoom: Bool
    }

    /// What to do for a record whose level may use memory, and files, or may not. `isFileReady` says whether there
    /// is one by now although the open batch is in memory.
    static func step(admitsMemory: Bool, admitsFiles: Bool, open: Open?, isFileReady: () -> Bool) -> Step {
        guard admitsMemory else { return .refuse }
        guard let open else { return .open }
        if open.isInFile && !admitsFiles { return .evict }
        if open.isFull { return .replace(growing: false) }
        if open.hasRoom { return .use }
        // A file does not grow, since its records would for a moment be in two; the next one is larger.
        if open.isInFile { return .replace(growing: true) }
        // No file was ready when this one was opened. Before it takes up more memory, there may be one.
        return isFileReady() ? .replace(growing: false) : .grow
    }
}
