// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// What the system says about a spool directory.
struct SpoolProbe: Sendable {
    /// Where a producer's folder would be.
    enum Place: Equatable, Sendable {
        /// In this directory, which may be one inside of the configured one.
        case directory(String)
        /// In none that is there yet: it would be made in this one.
        case parent(String)
        /// Nowhere, as this path may not be used.
        case refused(String, SpoolRefusal)
    }

    var place: Place
    /// Why no folder and no file can be made there.
    var failure: FileError?
    /// Whether directories can be locked there.
    var locksFolders = true
    /// The user that the process is.
    var user: uid_t
    /// The bytes and the files that there is room for; `nil` if there is no bound, or that is not known.
    var freeBytes: Int?
    var freeFiles: Int?
    /// What files of the spool take already.
    var usedBytes = 0
    /// What a start would not take over; `nil` if it could not be read in time.
    var left: [SpoolInventory.Part]? = []
    /// With the file system.
    var surroundings = Surroundings()

    /// What a spool makes at first: one small file.
    private static let probeBytes = SpoolFormat.headerBytes + (32 << 10)

    /// Looks at the directory. Makes a folder in it for a moment, as a producer does, if the directory is there. May block
    /// for as long as the disk does. What is left there is for ``left(in:_:)``.
    static func take(_ directory: String, _ configuration: WebTrackingConfiguration) -> SpoolProbe {
        let directory = SpoolPaths.name(of: directory)
        let access = SpoolAccess(configuration.spool.permits, isRescue: configuration.spool.isRescue)
        var look = SpoolProbe(place: .parent(directory), user: access.user)
        look.surroundings = SurroundingsReader.read(for: configuration)
        do throws(FileError) {
            look.place = try Self.place(of: directory, access)
        } catch {
            look.failure = error
        }
        switch look.place {
        case .directory(let path) where look.failure == nil:
            do throws(FileError) { look.locksFolders = try Self.probe(path, access, configuration.durability) } catch {
                look.failure = error
            }
        case .parent(let path) where look.failure == nil:
            if WebTrackingPlatform.access(path, W_OK | X_OK) != 0 { look.failure = FileError("mkdir", path) }
        default: break
        }
        look.readRoom(of: directory)
        look.usedBytes = Self.usedBytes(in: directory, access)
        return look
    }

    /// What a start would not take over. Reads a bit of each file, so this takes its time where there are many.
    static func left(in directory: String, _ configuration: WebTrackingConfiguration) -> [SpoolInventory.Part] {
        SpoolInventory(
            SpoolPaths.name(of: directory),
            destination: "\(configuration.project)/\(configuration.logstore)",
            access: SpoolAccess(configuration.spool.permits, isRescue: configuration.spool.isRescue)
        ).parts
    }

    /// As ``SpoolPaths/prepare(_:_:)`` decides, but without making anything.
    private static func place(of directory: String, _ access: SpoolAccess) throws(FileError) -> Place {
        let entry: SpoolAccess.Entry
        do throws(FileError) { entry = try FileSystem.entry(directory) } catch {
            guard error.isAbsence else { throw error }
            return .parent(SurroundingsReader.nearest(directory) ?? "/")
        }
        guard let refusal = access.refusal(ofFolder: entry) else { return .directory(directory) }
        guard access.mayMakeFolder(in: entry) else { return .refused(directory, refusal) }
        let path = "\(directory)/\(access.subfolder)"
        do throws(FileError) {
            let refusal = access.refusal(ofFolder: try FileSystem.entry(path))
            return refusal.map { Place.refused(path, $0) } ?? .directory(path)
        } catch {
            guard error.isAbsence else { throw error }
        }
        // This user may not write there: the directory's own refusal says what to do about that.
        if WebTrackingPlatform.access(directory, W_OK | X_OK) != 0, errno == EACCES {
            return .refused(directory, refusal)
        }
        return .parent(directory)
    }

    /// Makes a folder with a file as a producer uses it, and removes both. Returns whether the folder itself could be
    /// locked.
    private static func probe(
        _ place: String,
        _ access: SpoolAccess,
        _ durability: Durability
    ) throws(FileError) -> Bool {
        let name = "check-\(getpid())-\(UInt64.random(in: .min ... .max).hexadecimal)"
        guard let folder = try SpoolFolder.make(in: place, name: name, access: access) else { return true }
        defer { folder.removeIfEmpty() }
        let path = folder.file(0)
        let descriptor = try FileSystem.open(path, flags: O_RDWR | O_CREAT | O_EXCL)
        defer {
            unlink(path)
            close(descriptor)
        }
        try FileSystem.allocate(descriptor, bytes: Self.probeBytes, path: path)
        // Some file systems of other machines have files, but none that processes can share in memory.
        let memory = try FileSystem.map(descriptor, bytes: Self.probeBytes, path: path)
        memory.storeBytes(of: 1, as: UInt8.self)
        munmap(memory, Self.probeBytes)
        if durability.syncInterval != nil {
            try FileSystem.sync(path)
            try FileSystem.sync(folder.path, isDirectory: true)
        }
        return folder.isFolderLocked
    }

    private mutating func readRoom(of directory: String) {
        var status = statvfs()
        guard let path = SurroundingsReader.nearest(directory), statvfs(path, &status) == 0, status.f_blocks > 0 else {
            return
        }
        let bytes = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        self.freeBytes = bytes.overflow ? .max : Int(clamping: bytes.partialValue)
        // Some file systems, such as btrfs, have as many as they need, and say 0 of 0.
        if status.f_files > 0 { self.freeFiles = Int(clamping: status.f_favail) }
    }

    private static func usedBytes(in directory: String, _ access: SpoolAccess) -> Int {
        let roots = (try? SpoolPaths.roots(directory, access))?.used ?? []
        let folders = roots.flatMap { root -> [String] in
            let names = (try? FileSystem.names(in: root)) ?? []
            return names.filter { $0.hasPrefix(SpoolFolder.prefix) }.map { "\(root)/\($0)" }
        }
        return folders.flatMap { SpoolFolder.unorderedFiles(in: $0) }.reduce(0) { sum, path in
            var status = stat()
            return lstat(path, &status) == 0 ? sum + Int(status.st_size) : sum
        }
    }
}
