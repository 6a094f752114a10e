// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// The records of dead producers that one producer does not deliver, counted by the reason.
///
/// Reads only headers and marks. It does not check records, and changes nothing.
struct SpoolInventory: Sendable {
    /// Why something stays.
    enum Reason: Hashable, Sendable {
        /// It is for another project or logstore, here as `project/logstore`.
        case destination(String)
        /// A newer version wrote it.
        case newerFormat(UInt32)
        /// The folder or the file may not be used or read.
        case refused(SpoolRefusal)
    }

    /// What stays for one reason.
    struct Part: Equatable, Sendable {
        let reason: Reason
        /// The folder, if one folder holds all of it; otherwise the directory.
        fileprivate(set) var path: String
        fileprivate(set) var files: Int
        /// `nil` if the records cannot be counted.
        fileprivate(set) var records: Int?
    }

    private(set) var parts: [Part] = []
    /// The folders and files that are refused.
    private(set) var refused: Set<String> = []
    private let directory: String
    private let access: SpoolAccess
    private let destination: String?

    /// Counts the records that are not for `destination`; if that is `nil`, those for any destination. Counts them both
    /// in directories that are used and in refused ones. A directory that cannot be read counts as empty.
    init(_ directory: String, destination: String?, access: SpoolAccess) {
        self.directory = directory
        self.access = access
        self.destination = destination
        guard let roots = try? SpoolPaths.roots(directory, access) else { return }
        for (path, refusal) in roots.refused { self.countRefusedDirectory(path, refusal) }
        for directory in roots.used {
            for folder in Self.folders(in: directory) {
                guard let entry = try? FileSystem.entry(folder), entry.isDirectory || entry.isLink else { continue }
                if let refusal = access.refusal(ofFolder: entry) {
                    self.countRefusedFolder(folder, refusal, at: folder)
                } else {
                    self.countFolder(folder)
                }
            }
        }
    }

    private static func folders(in directory: String) -> [String] {
        let names = (try? FileSystem.names(in: directory)) ?? []
        return names.filter { $0.hasPrefix(SpoolFolder.prefix) }.map { "\(directory)/\($0)" }
    }

    /// Counts all that dead producers have in a directory that is not used.
    private mutating func countRefusedDirectory(_ path: String, _ refusal: SpoolRefusal) {
        if refusal == .link {
            self.note(.refused(refusal), path, files: 0, records: nil)
        } else if let names = try? FileSystem.names(in: path) {
            for name in names where name.hasPrefix(SpoolFolder.prefix) {
                self.countRefusedFolder("\(path)/\(name)", refusal, at: path)
            }
        } else if SpoolAccess.isSubfolder(path) {
            // A user has made it for records.
            self.note(.refused(refusal), path, files: 0, records: nil)
        }
    }

    /// Counts a producer's folder that may not be used. `path` is the path to report for that reason.
    private mutating func countRefusedFolder(_ folder: String, _ refusal: SpoolRefusal, at path: String) {
        guard !SpoolFolder.isAlive(folder) else { return }
        self.refused.insert(folder)
        guard refusal != .link, let names = try? FileSystem.names(in: folder) else {
            return self.note(.refused(refusal), path, files: 0, records: nil)
        }
        var records: Int? = 0
        var files = 0
        for name in names where name.hasSuffix(SpoolFolder.fileSuffix) {
            do throws(FileError) {
                guard let summary = try SpoolFileSummary("\(folder)/\(name)", access: nil, marks: { _ in true }) else {
                    continue
                }
                switch summary.kind {
                case .holding:
                    files += 1
                    records = records.map { $0 + summary.records }
                case .unknownVersion:
                    files += 1
                    records = nil
                case .empty, .damaged: break
                }
            } catch {
                // It was delivered and removed since the names were read.
                guard !error.isAbsence else { continue }
                files += 1
                records = nil
            }
        }
        if files > 0 { self.note(.refused(refusal), path, files: files, records: records) }
    }

    /// Counts what is not for this producer in a folder that may be used.
    private mutating func countFolder(_ folder: String) {
        var found: [(reason: Reason, path: String, records: Int?)] = []
        let own = self.destination
        for path in SpoolFolder.unorderedFiles(in: folder) {
            do throws(FileError) {
                let summary = try SpoolFileSummary(path, access: self.access) { $0.label.destination != own }
                switch summary?.kind {
                case .holding(let header) where header.label.destination != own:
                    found.append((.destination(header.label.destination), path, summary?.records))
                case .unknownVersion(let version): found.append((.newerFormat(version), path, nil))
                case .holding, .empty, .damaged, nil: break
                }
            } catch {
                guard !error.isAbsence, !error.isShortage else { continue }
                let refusal = (try? FileSystem.entry(path)).flatMap { self.access.refusal(ofFile: $0) } ?? .closed
                found.append((.refused(refusal), path, nil))
            }
        }
        // If the producer lives, its files are its own.
        guard !found.isEmpty, !SpoolFolder.isAlive(folder) else { return }
        for (reason, path, records) in found {
            if case .refused = reason { self.refused.insert(path) }
            self.note(reason, folder, files: 1, records: records)
        }
    }

    private mutating func note(_ reason: Reason, _ path: String, files: Int, records: Int?) {
        let index = self.parts.firstIndex { $0.reason == reason && ($0.records == nil) == (records == nil) }
        guard let index else {
            return self.parts.append(Part(reason: reason, path: path, files: files, records: records))
        }
        // It is in more than one folder.
        if self.parts[index].path != path { self.parts[index].path = self.directory }
        self.parts[index].files += files
        if let records { self.parts[index].records? += records }
    }
}

extension SpoolInventory.Part {
    /// The reason, and what to do about it, for a producer with its spool in `directory`.
    func text(directory: String, user: uid_t) -> (reason: String, suggestion: String) {
        switch self.reason {
        case .destination(let destination):
            let names = destination.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            let options = zip(["--project", "--logstore"], names).map { "\($0) \(SpoolRefusal.quoted(String($1)))" }
            return (
                "for \(destination), not for this producer's logstore",
                "a producer for it delivers them, or webtracking spool replay \(SpoolRefusal.quoted(directory)) "
                    + "--endpoint ENDPOINT \(options.joined(separator: " "))"
            )
        case .newerFormat(let version):
            return (
                "in format \(version), and this version reads \(SpoolFormat.version)",
                "a producer or webtracking spool replay of a newer version delivers them"
            )
        case .refused(let refusal):
            // In a shared directory, another user's folder most likely belongs to another program.
            let condition = SpoolAccess.isSubfolder(self.path) ? "if it was this program's, " : ""
            return (refusal.reason, condition + refusal.suggestion(self.path, user: user))
        }
    }
}
