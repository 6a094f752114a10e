// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Decides how records of dead producers are recovered: which folder and which file is next, when to wait, and what
/// happens to what is found.
///
/// A value: its input is what was found, its output is the next step, and it touches no file.
struct RecoveryMachine {
    /// What to do next.
    enum Step: Equatable {
        /// Lock a folder, and call ``opened(_:)`` with its files.
        case open(folder: String)
        /// Examine a file of the folder opened last, and call ``found(_:)``.
        case examine(file: String)
        /// Tell that the process ended without a stop that made the folder opened last, and call ``told(_:)``.
        case tell(UnexpectedExit)
        /// Wait until more records are delivered.
        case wait
        /// Everything has been examined.
        case end
    }

    /// What is in a file.
    enum Finding: Equatable {
        /// The file is gone: its records have been delivered.
        case gone
        /// The file never held a record.
        case empty
        /// Its records are for another logstore, or in a newer format.
        case foreign
        /// It has no whole record, but is not empty either.
        case damaged(String)
        /// So many records. The first one is this old, and the last one is of that time, as far as is known.
        case records(Int, age: Duration, topic: String = "", lastAt: Int64? = nil)
        /// It cannot be read at present, for lack of a resource that may become free again.
        case unavailable(String)
        /// It does not open, for a reason of its own that may last.
        case unreadable(String)
    }

    /// What to do with a file.
    enum Action: Equatable {
        case leave
        case remove
        case quarantine(reason: String)
        case deliver
        case drop(DropReason)
    }

    /// The number of recovered batches that may wait before the next file is examined.
    static let ahead = 4

    private let maximumAge: Duration?
    private var folders: ArraySlice<Folder> = []
    private var files: ArraySlice<String> = []
    /// Whether only the files that exceed the bound are to be dropped from the folder opened last.
    private var isTrimming = false
    /// What was recovered since ``begin(_:trimming:)``.
    private(set) var records = 0
    private(set) var filesTaken = 0
    /// The folder opened last, while a process's end is to be told of it.
    private var dueExit: String?
    /// The ends that are not told yet, by folder, with what has come back so far; `nil` for one that was told.
    private var exits: [String: UnexpectedExit?] = [:]
    /// The failure of this pass that is not reported yet, and the one that was reported since the last pass without
    /// failure.
    private var failure: String?
    private var isHindered = false
    private var reported: String?

    private struct Folder {
        var path: String
        /// The files to drop; `nil` to recover everything.
        var victims: Set<String>?
    }

    init(maximumAge: Duration?) {
        self.maximumAge = maximumAge
    }

    /// Whether a process's end is to be told of the folder opened last.
    var hasDueExit: Bool { self.exit != nil }

    private var exit: UnexpectedExit? { self.dueExit.flatMap { self.exits[$0] ?? nil } }

    /// Begins a pass over these folders, the oldest first. `victims` are dropped before anything is recovered.
    mutating func begin(_ folders: [String], trimming victims: [String: Set<String>] = [:]) {
        if !self.isHindered { self.reported = nil }
        self.isHindered = false
        self.isTrimming = false
        let trimmed = folders.compactMap { path in victims[path].map { Folder(path: path, victims: $0) } }
        self.folders = (trimmed + folders.map { Folder(path: $0) })[...]
        self.files = []
        self.dueExit = nil
        self.records = 0
        self.filesTaken = 0
    }

    /// The next step while `backlog` batches wait for delivery. If memory is short, no other one is read beside one that
    /// waits: it may be a copy.
    mutating func next(backlog: Int, isMemoryShort: Bool = false) -> Step {
        if self.files.isEmpty, let exit = self.exit { return .tell(exit) }
        if !self.isTrimming, backlog > (isMemoryShort ? 0 : Self.ahead) { return .wait }
        if let file = self.files.popFirst() { return .examine(file: file) }
        return self.folders.first.map { .open(folder: $0.path) } ?? .end
    }

    /// Notes the files of the folder, in the order of their batches; `nil` if the folder is gone, or if another
    /// producer holds it. `failure` says why a file that does not open was left out, `exit` that its process ended without
    /// a stop.
    mutating func opened(_ files: [String]?, exit: UnexpectedExit? = nil, failure: String? = nil) {
        guard let folder = self.folders.popFirst() else { return }
        if let failure { self.note(failure) }
        self.isTrimming = folder.victims != nil
        self.files = (files ?? []).filter { folder.victims?.contains($0) ?? true }[...]
        self.dueExit = nil
        guard let exit, !self.isTrimming else { return }
        self.dueExit = folder.path
        // Known already if it could not be told, or could not be noted as told, or not all files could be read.
        if self.exits[folder.path] == nil { self.exits[folder.path] = exit }
    }

    /// Notes whether the record that tells of the end was accepted. If not, it is told in the next pass.
    mutating func told(_ isAccepted: Bool) {
        guard let folder = self.dueExit.take() else { return }
        if isAccepted { self.exits[folder] = .some(nil) }
    }

    /// Forgets that the end was told, as the folder does not speak of one any more.
    mutating func forget(_ folder: String) { self.exits[folder] = nil }

    /// Notes that the directory, or the folder that was to be opened, cannot be read at present.
    mutating func failed(_ reason: String) {
        _ = self.folders.popFirst()
        self.files = []
        self.note(reason)
    }

    /// One failure of a pass is enough to report.
    private mutating func note(_ reason: String) {
        if !self.isHindered { self.failure = reason }
        self.isHindered = true
    }

    /// Notes what is in the examined file. Returns what to do with it.
    mutating func found(_ finding: Finding) -> Action {
        switch finding {
        case .gone, .foreign: return .leave
        case .empty: return .remove
        case .damaged(let reason): return .quarantine(reason: reason)
        case .unavailable(let reason):
            // The rest of the folder waits for the next pass, so that its records stay in order.
            self.files = []
            self.dueExit = nil
            self.note(reason)
            return .leave
        case .unreadable(let reason):
            // This may last for ever, so nothing waits for it. If the file opens later, its records come late.
            self.note(reason)
            return .leave
        case .records(let count, let age, let topic, let lastAt):
            if self.isTrimming { return .drop(.spoolFull) }
            if let limit = self.maximumAge, age > limit { return .drop(.expired) }
            self.records += count
            self.filesTaken += 1
            if let folder = self.dueExit { self.exits[folder]??.note(count, topic: topic, lastAt: lastAt) }
            return .deliver
        }
    }

    /// Returns the first failure, and then nothing until a pass without failure. Another failure is returned only after
    /// that.
    mutating func takeFailure() -> String? {
        defer { self.failure = nil }
        guard let failure = self.failure, failure != self.reported else { return nil }
        self.reported = failure
        return failure
    }
}
