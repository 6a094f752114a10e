// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Which folders and files of a spool a process may use, by whose they are and who else may write to them.
///
/// A value: what the system says of a file comes in, the answer goes out.
struct SpoolAccess: Sendable, Equatable {
    /// Whose folders are used.
    enum Trust: Sendable, Equatable {
        /// The process's own user's, if nobody else may write to them.
        case owner
        /// Those too that a group of the process may write to.
        case group
        /// Everybody's; for root alone, who is asked to.
        case anyone
    }

    /// What the system says of a file.
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
            groups: Set(groups.prefix(max(Int(count), 0)) + [getegid()]),
            trust: isRescue && user == 0 ? .anyone : permits == .group ? .group : .owner
        )
    }

    init(user: uid_t, groups: Set<gid_t>, trust: Trust) {
        self.user = user
        self.groups = groups
        self.trust = trust
    }

    /// Why a folder is not used; `nil` if it is.
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

    /// Why a file in a folder that is used is not; `nil` if it is.
    func refusal(ofFile entry: Entry) -> SpoolRefusal? {
        guard entry.isPlainFile else { return .noFile }
        return self.trust == .owner && entry.user != self.user ? .otherUser(entry.user) : nil
    }

    /// Whether a folder of this process's may be in a directory that is not used itself: nobody but the process's user and
    /// root can give such a folder's name to another one, as far as the directory's mode lets them.
    func mayMakeFolder(in entry: Entry) -> Bool {
        entry.isDirectory && (entry.user == self.user || entry.user == 0)
    }

    /// The name of that folder.
    var subfolder: String { Self.subfolderPrefix + (self.trust == .group ? "shared" : "\(self.user)") }
    private static let subfolderPrefix = "webtracking-"

    /// Whether a path ends with such a name, of this user or another one.
    static func isSubfolder(_ path: String) -> Bool {
        guard let name = path.split(separator: "/").last, name.hasPrefix(Self.subfolderPrefix) else { return false }
        let whose = name.utf8.dropFirst(Self.subfolderPrefix.utf8.count)
        return !whose.isEmpty && whose.allSatisfy { (0x30...0x39).contains($0) } || whose.elementsEqual("shared".utf8)
    }

    /// The mode of the folders that are made. What is in a folder of a group's is the group's, too.
    var folderMode: mode_t { self.trust == .group ? 0o2770 : 0o700 }

    /// Lets the group use a file that was made for its owner alone, if it is to; at best, since others may look after it.
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

    /// Both in one line.
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
    /// What a path is, a link not followed.
    static func entry(_ path: String) throws(FileError) -> SpoolAccess.Entry {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw FileError("lstat", path) }
        return SpoolAccess.Entry(mode: status.st_mode, user: status.st_uid, group: status.st_gid)
    }

    /// What an open file is.
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

    /// The size of an open file, which must be a plain file, and one that may be used by `access` if there is one.
    static func size(_ descriptor: CInt, path: String, access: SpoolAccess?) throws(FileError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError("fstat", path) }
        let entry = SpoolAccess.Entry(mode: status.st_mode, user: status.st_uid, group: status.st_gid)
        guard entry.isPlainFile else { throw FileError("open", path, code: EPERM) }
        if let access, let refusal = access.refusal(ofFile: entry) { throw FileError(path, refusal, access) }
        return Int(status.st_size)
    }

    /// The bytes of a plain file, of anybody's without `access`; at most `limit`, since what is longer is nothing of ours.
    static func read(_ path: String, limit: Int, access: SpoolAccess?) throws(FileError) -> [UInt8] {
        let descriptor = try self.open(path, flags: O_RDONLY | O_NONBLOCK)
        defer { close(descriptor) }
        let size = try self.size(descriptor, path: path, access: access)
        guard size <= limit else { throw FileError("read", path, code: EFBIG) }
        return try self.read(descriptor, bytes: size, path: path)
    }

    /// Copies a file, whole or not at all; the copy belongs to whom `owner` says, if this process can give it away.
    static func copy(
        _ path: String,
        to target: String,
        owner: SpoolAccess.Entry? = nil,
        access: SpoolAccess
    ) throws(FileError) {
        let bytes = try self.read(path, limit: SpoolExamination.largestFile, access: access)
        let draft = "\(target).part"
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
        guard rename(draft, target) == 0 else { throw FileError("rename", draft) }
    }
}

extension FileError {
    init(_ path: String, _ refusal: SpoolRefusal, _ access: SpoolAccess) {
        self.init("open", path, code: EACCES, rule: refusal.text(path, user: access.user))
    }
}
