// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What dead producers have left that one producer does not deliver, counted by why that is so.
///
/// By headers and marks: nothing is checked or changed.
struct SpoolInventory: Sendable {
    /// Why something stays.
    enum Reason: Hashable, Sendable {
        /// It is for another project or logstore, here with a slash between.
        case destination(String)
        /// A newer version wrote it.
        case newerFormat(UInt32)
        /// The folder or the file may not be used, or not be looked into.
        case refused(SpoolRefusal)
    }

    /// What stays for one reason.
    struct Part: Equatable, Sendable {
        let reason: Reason
        /// The folder that holds all of it, or the directory.
        fileprivate(set) var path: String
        fileprivate(set) var files: Int
        /// `nil` for what cannot be counted.
        fileprivate(set) var records: Int?
    }

    private(set) var parts: [Part] = []
    /// The folders and files that are refused.
    private(set) var refused: Set<String> = []
    private let directory: String
    private let access: SpoolAccess
    private let destination: String?

    /// Counts what is not for `destination`, and for `nil` what is for any; in the directories that are used, and in those
    /// that are refused. A directory that cannot be looked into has nothing to count.
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

    /// All that dead producers have in a directory that is not used.
    private mutating func countRefusedDirectory(_ path: String, _ refusal: SpoolRefusal) {
        if refusal == .link {
            self.note(.refused(refusal), path, files: 0, records: nil)
        } else if let names = try? FileSystem.names(in: path) {
            for name in names where name.hasPrefix(SpoolFolder.prefix) {
                self.countRefusedFolder("\(path)/\(name)", refusal, at: path)
            }
        } else if SpoolAccess.isSubfolder(path) {
            // Somebody has made it for records.
            self.note(.refused(refusal), path, files: 0, records: nil)
        }
    }

    /// What is in a folder of a producer that may not be used, for a reason that `path` is named for.
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
                guard !error.isAbsence else { continue }
                files += 1
                records = nil
            }
        }
        if files > 0 { self.note(.refused(refusal), path, files: files, records: records) }
    }

    /// What in a folder that may be used is not for this producer.
    private mutating func countFolder(_ folder: String) {
        var found: [(reason: Reason, path: String, records: Int?)] = []
        for path in SpoolFolder.unorderedFiles(in: folder) {
            do throws(FileError) {
                let summary = try SpoolFileSummary(path, access: self.access) { $0.destination != self.destination }
                switch summary?.kind {
                case .holding(let header) where header.destination != self.destination:
                    found.append((.destination(header.destination), path, summary?.records))
                case .unknownVersion(let version): found.append((.newerFormat(version), path, nil))
                case .holding, .empty, .damaged, nil: break
                }
            } catch {
                guard !error.isAbsence, !error.isShortage else { continue }
                let refusal = (try? FileSystem.entry(path)).flatMap { self.access.refusal(ofFile: $0) } ?? .closed
                found.append((.refused(refusal), path, nil))
            }
        }
        // What a living producer holds is its own.
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
        // Not in one folder alone.
        if self.parts[index].path != path { self.parts[index].path = self.directory }
        self.parts[index].files += files
        if let records { self.parts[index].records? += records }
    }
}

extension SpoolInventory.Part {
    /// Why it stays, and what to do about it, for a producer that lives by `directory`.
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
            // Where everybody has a folder, another user's is most likely another program's.
            let condition = SpoolAccess.isSubfolder(self.path) ? "if it was this program's, " : ""
            return (refusal.reason, condition + refusal.suggestion(self.path, user: user))
        }
    }
}
