// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// What happens to the disk, or to the directory, under a process that goes on.
enum DiskFault: String, CaseIterable {
    /// Another program takes all the room there is.
    case full
    /// The file system can only be read.
    case readOnly = "read-only"
    /// The process may not write to the directory any more.
    case permission
    /// The directory is removed with all that is in it.
    case removed

    /// Whether it needs a file system of its own.
    var needsMount: Bool { self == .full || self == .readOnly }

    /// What is done, for those who watch.
    var story: String {
        switch self {
        case .full: "another file takes all the room of the disk, and is removed again"
        case .readOnly: "the spool directory becomes read-only, and is well again"
        case .permission: "the process may not write to its spool directory any more, and then may again"
        case .removed: "the spool directory is moved away with all that is in it"
        }
    }

    /// Makes the place for a spool directory, whose path it returns.
    func prepare(in directory: String) throws -> String {
        let place = "\(directory)/disk"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
        if self == .full { try Self.run("mount", "-t", "tmpfs", "-o", "size=8m,mode=755", "chaos", place) }
        return "\(place)/spool"
    }

    func strike(_ spool: String) throws {
        switch self {
        case .full:
            let ballast = Self.ballast(spool)
            try Data().write(to: URL(fileURLWithPath: ballast))
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: ballast))
            let block = Data(repeating: 1, count: 4096)
            while (try? file.write(contentsOf: block)) != nil {}
            try file.close()
        case .readOnly:
            // The kernel does not make a file system read-only that has files which are written to; a process meets the same
            // where a read-only view of it lies over the directory.
            try Self.run("mount", "--bind", spool, spool)
            try Self.run("mount", "-o", "remount,bind,ro", spool)
        case .permission:
            for path in try Self.folders(spool) { try Self.change(path, to: 0o500) }
        case .removed:
            // To the process the same as a removal, and its files can be looked into afterwards.
            try FileManager.default.moveItem(atPath: spool, toPath: Self.removed(spool))
        }
    }

    func heal(_ spool: String) throws {
        switch self {
        case .full: try FileManager.default.removeItem(atPath: Self.ballast(spool))
        case .readOnly: try Self.run("umount", spool)
        case .permission: for path in try Self.folders(spool) { try Self.change(path, to: 0o700) }
        case .removed: break
        }
    }

    /// Lets go of what `prepare` made.
    func cleanUp(_ spool: String) throws {
        if self == .full { try Self.run("umount", URL(fileURLWithPath: spool).deletingLastPathComponent().path) }
    }

    /// Where the directory is that was removed.
    static func removed(_ spool: String) -> String { "\(spool)-removed" }

    private static func ballast(_ spool: String) -> String { "\(spool)-ballast" }

    private static func folders(_ spool: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: spool).map { "\(spool)/\($0)" } + [spool]
    }

    private static func change(_ path: String, to mode: Int) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    private static func run(_ program: String, _ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let command = ([program] + arguments).joined(separator: " ")
            throw ValidationError("`\(command)` ended with \(process.terminationStatus)")
        }
    }
}
