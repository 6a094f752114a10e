// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Decides how what dead producers left is taken over: which folder and which file is next, when to wait, and what becomes
/// of what is found.
///
/// It is told of what is there and what was found, and touches nothing itself.
struct RecoveryMachine {
    /// What to do next.
    enum Step: Equatable {
        /// Take the lock of a folder, and tell ``opened(_:)`` of its files.
        case open(folder: String)
        /// Examine a file of the folder that was opened last, and tell ``found(_:)``.
        case examine(file: String)
        /// Wait until more is delivered.
        case wait
        /// Everything has been looked at.
        case end
    }

    /// What a file was found to be.
    enum Finding: Equatable {
        /// Gone since: its records have been delivered.
        case gone
        /// Nothing that was ever a record.
        case empty
        /// Some other producer's, one with that configuration or a newer one.
        case foreign
        /// Not a single whole record, but not empty either.
        case damaged(String)
        /// So many records, the first of which came so long ago.
        case records(Int, age: Duration)
        /// It cannot be looked into at present, for want of something that comes back by itself.
        case unavailable(String)
        /// It does not open, for a reason of its own that may last.
        case unreadable(String)
    }

    /// What to do with it.
    enum Action: Equatable {
        case leave
        case remove
        case quarantine(reason: String)
        case deliver
        case drop(DropReason)
    }

    /// How many batches wait for their delivery before the next file is looked into.
    static let ahead = 4

    private let maximumAge: Duration?
    private var folders: ArraySlice<Folder> = []
    private var files: ArraySlice<String> = []
    /// Whether the folder that was opened last is only to lose what is beyond the bound.
    private var isTrimming = false
    /// What has been taken over since ``begin(_:trimming:)``.
    private(set) var records = 0
    private(set) var filesTaken = 0
    /// Why something could not be looked into in this look, until it is told; and what was told since all was well.
    private var failure: String?
    private var isHindered = false
    private var reported: String?

    private struct Folder {
        var path: String
        /// The files that are to go; `nil` for taking over everything.
        var victims: Set<String>?
    }

    init(maximumAge: Duration?) {
        self.maximumAge = maximumAge
    }

    /// Begins a look at these folders, the oldest first. Of some, `victims` are to go before anything is taken over.
    mutating func begin(_ folders: [String], trimming victims: [String: Set<String>] = [:]) {
        if !self.isHindered { self.reported = nil }
        self.isHindered = false
        self.isTrimming = false
        let trimmed = folders.compactMap { path in victims[path].map { Folder(path: path, victims: $0) } }
        self.folders = (trimmed + folders.map { Folder(path: $0) })[...]
        self.files = []
        self.records = 0
        self.filesTaken = 0
    }

    /// What to do while `backlog` batches wait for their delivery.
    mutating func next(backlog: Int) -> Step {
        if !self.isTrimming, backlog > Self.ahead { return .wait }
        if let file = self.files.popFirst() { return .examine(file: file) }
        return self.folders.first.map { .open(folder: $0.path) } ?? .end
    }

    /// Takes in the files of the folder, in the order of their batches; `nil` if the folder is gone or another producer
    /// holds it. `failure` says why a file was left out that does not open.
    mutating func opened(_ files: [String]?, failure: String? = nil) {
        guard let folder = self.folders.popFirst() else { return }
        if let failure { self.note(failure) }
        self.isTrimming = folder.victims != nil
        self.files = (files ?? []).filter { folder.victims?.contains($0) ?? true }[...]
    }

    /// Takes in that the directory, or the folder that was to be opened, cannot be looked into at present.
    mutating func failed(_ reason: String) {
        _ = self.folders.popFirst()
        self.files = []
        self.note(reason)
    }

    /// One trouble of a look is enough to tell.
    private mutating func note(_ reason: String) {
        if !self.isHindered { self.failure = reason }
        self.isHindered = true
    }

    /// Takes in what the file is that was to be examined, and says what to do with it.
    mutating func found(_ finding: Finding) -> Action {
        switch finding {
        case .gone, .foreign: return .leave
        case .empty: return .remove
        case .damaged(let reason): return .quarantine(reason: reason)
        case .unavailable(let reason):
            // What is left of the folder waits for the next look: what is behind must not come first.
            self.files = []
            self.note(reason)
            return .leave
        case .unreadable(let reason):
            // That may last for ever, and nothing waits for ever. Its records come late if it opens after all.
            self.note(reason)
            return .leave
        case .records(let count, let age):
            if self.isTrimming { return .drop(.spoolFull) }
            if let limit = self.maximumAge, age > limit { return .drop(.expired) }
            self.records += count
            self.filesTaken += 1
            return .deliver
        }
    }

    /// Returns the first failure of a look, once until it is over. Another failure is returned only after that.
    mutating func takeFailure() -> String? {
        defer { self.failure = nil }
        guard let failure = self.failure, failure != self.reported else { return nil }
        self.reported = failure
        return failure
    }
}
