// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What is in a spool directory, for tools: reads it beside the processes that use it, and changes nothing.
///
/// ```swift
/// let spool = WebTrackingSpool(directory: "/var/lib/checkout/spool")
/// for batch in try spool.batches() where !batch.isAlive { print(batch.records, batch.destination) }
/// ```
///
/// A file that is removed meanwhile is left out: its records have been delivered.
public struct WebTrackingSpool: Sendable {
    /// The directory, as ``WebTrackingConfiguration/Spool/directory`` names it.
    public let directory: String

    /// Looks at a directory.
    public init(directory: String) {
        self.directory = directory
    }

    /// One file that holds records, or did before it was damaged.
    public struct Batch: Sendable, Equatable {
        /// The path of the file.
        public var path: String
        /// The name of its producer's folder; `damaged` for what was quarantined.
        public var folder: String
        /// Whether a living process holds the folder.
        public var isAlive: Bool
        /// The size of the file.
        public var bytes: Int
        /// Project and logstore, with a slash between; empty if the file does not say.
        public var destination: String
        /// The records' topic.
        public var topic: String
        /// The batch's id, by which it can be found in the logstore.
        public var batchID: String?
        /// When the first record came, in nanoseconds since 1970.
        public var openedAt: Int64
        /// How many whole records there are.
        public var records: Int
        /// What is wrong with the file; `nil` if nothing is.
        public var damage: String?
    }

    /// All files that hold records or are damaged, the oldest folder first. Throws if the directory cannot be read.
    public func batches() throws -> [Batch] {
        try self.batches(in: self.directory)
    }

    private func batches(in directory: String) throws -> [Batch] {
        var batches: [Batch] = []
        for folder in try FileSystem.names(in: directory) {
            let path = "\(directory)/\(folder)"
            // If other users may write to the directory, the folders of a user or group are in a folder inside of it.
            if SpoolAccess.isSubfolder(folder), directory == self.directory,
                (try? FileSystem.entry(path).isDirectory) ?? false
            {
                batches += (try? self.batches(in: path)) ?? []
            }
            guard folder.hasPrefix(SpoolFolder.prefix) || folder == SpoolStore.damagedName else { continue }
            let isAlive = SpoolFolder.isAlive(path)
            for file in SpoolFolder.files(in: path, includingDamaged: true) {
                guard let (batch, _) = self.look(at: file, folder: folder, isAlive: isAlive) else { continue }
                batches.append(batch)
            }
        }
        return batches
    }

    /// What dead processes have left for one reason.
    public struct Remains: Sendable, Equatable {
        /// Project and logstore, with a slash between, of what can be delivered from here; `nil` for what cannot.
        public var destination: String?
        /// The folder that holds all of it, or the directory.
        public var path: String
        /// How many files hold it; 0 if that cannot be found out.
        public var files: Int
        /// How many records that are, by their marks; `nil` for what cannot be counted.
        public var records: Int?
        /// Why it cannot be delivered, and what to do about it.
        public var obstacle: String?
    }

    /// What dead processes have left, counted by headers and marks: no record is read. As a rescue finds it
    /// (``WebTrackingConfiguration/Spool/isRescue``). Throws if the directory cannot be read.
    public func remains(permits: WebTrackingConfiguration.Spool.Permits = .owner) throws -> [Remains] {
        _ = try FileSystem.names(in: self.directory)
        let access = SpoolAccess(permits, isRescue: true)
        let directory = SpoolPaths.name(of: self.directory)
        return SpoolInventory(directory, destination: nil, access: access).parts.map { part in
            var remains = Remains(path: part.path, files: part.files, records: part.records)
            if case .destination(let destination) = part.reason {
                remains.destination = destination
            } else {
                let (reason, suggestion) = part.text(directory: directory, user: access.user)
                remains.obstacle = "\(reason); \(suggestion)"
            }
            return remains
        }
    }

    /// Calls `body` with each whole record of a batch, a JSON object in UTF-8, in order; with none if the file is gone.
    public func forEachRecord(of batch: Batch, _ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        guard let (_, records) = self.look(at: batch.path, folder: batch.folder, isAlive: batch.isAlive) else { return }
        try records?.forEachRecord(body)
    }

    private func look(at path: String, folder: String, isAlive: Bool) -> (Batch, OpenBatch?)? {
        var batch = Batch(
            path: path,
            folder: folder,
            isAlive: isAlive,
            bytes: 0,
            destination: "",
            topic: "",
            openedAt: 0,
            records: 0
        )
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileSystem.read(path, limit: SpoolFormat.largestFile, access: nil)
        } catch {
            guard !error.isAbsence else { return nil }
            batch.damage = error.description
            return (batch, nil)
        }
        batch.bytes = bytes.count
        switch bytes.withUnsafeBytes({ SpoolExamination.examine(copyOf: $0) }) {
        case .empty: return nil
        case .records(let records, let header, let damage):
            batch.destination = header.label.destination
            batch.topic = header.label.topic
            batch.openedAt = header.label.openedAt
            batch.batchID = records.batchID
            batch.records = records.count
            // A living process is writing records.
            batch.damage = isAlive ? nil : damage
            return (batch, records)
        case .foreign(let destination): batch.destination = destination
        case .unknownVersion(let version): batch.damage = "format version \(version) is unknown"
        case .damaged(let reason):
            // A living process may be using the file again right now, so old and new are mixed.
            guard !isAlive else { return nil }
            batch.damage = reason
        }
        return (batch, nil)
    }
}
