// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// Decides which folders and files of a spool a process may use, by their owner and by the other users that may write
/// to them.
///
/// A value: its input is what the system says about a file, and its output is the decision.
struct SpoolAccess: Sendable, Equatable {
    /// Which users' folders are used.
    enum Trust: Sendable, Equatable {
        /// Those of the process's user, if no other user may write to them.
        case owner
        /// Also those that a group of the process may write to.
        case group
        /// Those of every user. For root only, in a rescue.
        case anyone
    }

    /// The system's information about a file.
    struct Entry: Equatable {
        var mode: mode_t
        var user: uid_t
        var group: gid_t

        var isDirectory: Bool { self.mode & S_IFMT == S_IFDIR }
        var isPlainFile: Bool { self.mode & S_IFMT == S_IFREG }
        var isLink: Bool { self.mode & S_IFMT == S_IFLNK }
    }

    let user: uid_t
    let groups: Set<gid_t>
    let trust: Trust

    /// The access of this process.
    init(_ permits: WebTrackingConfiguration.Spool.Permits, isRescue: Bool = false) {
        let user = geteuid()
        var groups = [gid_t](repeating: 0, count: max(Int(getgroups(0, nil)), 0))
        let count = getgroups(CInt(groups.count), &groups)
        self.init(
            user: user,
            // The effective group need not be among them (man 2 getgroups).
            groups: Set(groups.prefix(max(Int(count), 0)) + [getegid()]),
            trust: isRescue && user == 0 ? .anyone : permits == .group ? .group : .owner
        )
    }

    init(user: uid_t, groups: Set<gid_t>, trust: Trust) {
        self.user = user
        self.groups = groups
        self.trust = trust
    }

    /// Why a folder is not used; `nil` if it may be used.
    func refusal(ofFolder entry: Entry) -> SpoolRefusal? {
        if entry.isLink { return .link }
        guard entry.isDirectory else { return .noFolder }
        guard self.trust != .anyone else { return nil }
        let isOfGroup = self.trust == .group && self.groups.contains(entry.group)
        if entry.user != self.user, !(isOfGroup && entry.mode & 0o070 == 0o070) { return .otherUser(entry.user) }
        if entry.mode & 0o002 != 0 { return .writableByOthers }
        guard entry.mode & 0o020 != 0, !isOfGroup else { return nil }
        return self.groups.contains(entry.group) ? .writableByGroup : .writableByOthers
    }

    /// Why a file in a usable folder is not used; `nil` if it may be used.
    func refusal(ofFile entry: Entry) -> SpoolRefusal? {
        guard entry.isPlainFile else { return .noFile }
        return self.trust == .owner && entry.user != self.user ? .otherUser(entry.user) : nil
    }

    /// Whether a folder of this process may be made in a directory that is not used itself. Only the process's user and
    /// root must be able to replace such a folder, as far as the directory's mode says.
    func mayMakeFolder(in entry: Entry) -> Bool {
        entry.isDirectory && (entry.user == self.user || entry.user == 0)
    }

    /// The name of that folder.
    var subfolder: String { Self.subfolderPrefix + (self.trust == .group ? "shared" : "\(self.user)") }
    private static let subfolderPrefix = "webtracking-"

    /// Whether a path ends with the name of such a folder, of this or another user.
    static func isSubfolder(_ path: String) -> Bool {
        guard let name = path.split(separator: "/").last, name.hasPrefix(Self.subfolderPrefix) else { return false }
        let owner = name.utf8.dropFirst(Self.subfolderPrefix.utf8.count)
        return !owner.isEmpty && owner.allSatisfy { (0x30...0x39).contains($0) } || owner.elementsEqual("shared".utf8)
    }

    /// The mode of new folders. With a group, the files in them belong to the group, too.
    var folderMode: mode_t { self.trust == .group ? 0o2770 : 0o700 }

    /// Lets the group use a file that was made for its owner alone, if groups are permitted. Ignores errors, as other
    /// users may own it.
    func share(_ descriptor: CInt) {
        if self.trust == .group { _ = fchmod(descriptor, 0o660) }
    }
}

/// Why a folder or a file of a spool is not used.
enum SpoolRefusal: Hashable, Sendable {
    case link
    case noFolder
    case noFile
    case otherUser(uid_t)
    case writableByGroup
    case writableByOthers
    /// The system does not let this process look into it.
    case closed

    var reason: String {
        switch self {
        case .link: "it is a link"
        case .noFolder: "it is no directory"
        case .noFile: "it is no plain file"
        case .otherUser(let user): "it belongs to another user (\(user))"
        case .writableByGroup: "its group may write to it"
        case .writableByOthers: "others may write to it"
        case .closed: "this process may not read it"
        }
    }

    /// What to do about it: a command, if there is one.
    func suggestion(_ path: String, user: uid_t) -> String {
        switch self {
        case .link: "name what it leads to"
        case .noFolder, .noFile: "move it away"
        case .otherUser, .closed: "chown -R \(user) \(Self.quoted(path))"
        case .writableByGroup: "chmod -R g-w \(Self.quoted(path)), or set spool.permits to group"
        case .writableByOthers: "chmod -R go-w \(Self.quoted(path))"
        }
    }

    /// The reason and the suggestion in one line.
    func text(_ path: String, user: uid_t) -> String { "\(self.reason); \(self.suggestion(path, user: user))" }

    /// A path as a shell takes it.
    static func quoted(_ path: String) -> String {
        let plain = "/._-+,:@%=".utf8
        let isPlain = path.utf8.allSatisfy { byte in
            plain.contains(byte) || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                || (0x61...0x7A).contains(byte)
        }
        if isPlain, !path.isEmpty { return path }
        return "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}

extension FileSystem {
    /// Information about a path, without following a link.
    static func entry(_ path: String) throws(FileError) -> SpoolAccess.Entry {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw FileError("lstat", path) }
        return SpoolAccess.Entry(mode: status.st_mode, user: status.st_uid, group: status.st_gid)
    }

    /// Information about an open file.
    static func entry(_ descriptor: CInt, path: String) throws(FileError) -> SpoolAccess.Entry {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError("fstat", path) }
        return SpoolAccess.Entry(mode: status.st_mode, user: status.st_uid, group: status.st_gid)
    }

    /// Checks that a folder is one that may be used.
    static func check(_ path: String, _ access: SpoolAccess) throws(FileError) {
        guard let refusal = access.refusal(ofFolder: try self.entry(path)) else { return }
        throw FileError(path, refusal, access)
    }

    /// The size of an open file. It must be a plain file that `access` permits (any file if `nil`).
    static func size(_ descriptor: CInt, path: String, access: SpoolAccess?) throws(FileError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError("fstat", path) }
        let entry = SpoolAccess.Entry(mode: status.st_mode, user: status.st_uid, group: status.st_gid)
        guard entry.isPlainFile else { throw FileError("open", path, code: EPERM) }
        if let access, let refusal = access.refusal(ofFile: entry) { throw FileError(path, refusal, access) }
        return Int(status.st_size)
    }

    /// The bytes of a plain file that `access` permits (of any user if `nil`). At most `limit`, as a longer file is not
    /// of this library.
    static func read(_ path: String, limit: Int, access: SpoolAccess?) throws(FileError) -> [UInt8] {
        // Without O_NONBLOCK, to open a named pipe waits for a writer (man 7 fifo).
        let descriptor = try self.open(path, flags: O_RDONLY | O_NONBLOCK)
        defer { close(descriptor) }
        let size = try self.size(descriptor, path: path, access: access)
        guard size <= limit else { throw FileError("read", path, code: EFBIG) }
        return try self.read(descriptor, bytes: size, path: path)
    }

    /// Copies a file as a whole, or not at all. The copy gets the given owner, if this process may change owners.
    static func copy(
        _ path: String,
        to target: String,
        owner: SpoolAccess.Entry? = nil,
        access: SpoolAccess
    ) throws(FileError) {
        let bytes = try self.read(path, limit: SpoolFormat.largestFile, access: access)
        let draft = "\(target).part"
        // A process that died in the middle may have left its draft, which no reader takes for a copy.
        unlink(draft)
        let descriptor = try self.open(draft, flags: O_WRONLY | O_CREAT | O_EXCL)
        defer { close(descriptor) }
        access.share(descriptor)
        if let owner { _ = fchown(descriptor, owner.user, owner.group) }
        var position = 0
        while position < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                self.withoutSizeSignal { write(descriptor, bytes.baseAddress! + position, bytes.count - position) }
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = FileError("write", draft)
                unlink(draft)
                throw error
            }
            position += count
        }
        // Atomic for other processes (man 2 rename).
        guard rename(draft, target) == 0 else { throw FileError("rename", draft) }
    }
}

extension FileError {
    init(_ path: String, _ refusal: SpoolRefusal, _ access: SpoolAccess) {
        self.init("open", path, code: EACCES, rule: refusal.text(path, user: access.user))
    }
}
