// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import WebTrackingPlatform

/// Reads what there is around a process. What cannot be read is not known, and nothing is said of it.
enum SurroundingsReader {
    /// Files under `/proc` have no size; no list that is read here is longer, and no number.
    private static let longestList = 1 << 20
    private static let longestNumber = 64

    /// Looks once, beside the caller, and reports what is wrong.
    static func look(
        for configuration: WebTrackingConfiguration,
        transport: any WebTrackingTransport,
        report: @escaping @Sendable (ProducerDiagnostic) -> Void
    ) {
        let user = transport as? any AuthoritiesUser
        // A queue of its own: a directory on a network may hang.
        DispatchQueue(label: "webtracking.surroundings", qos: .utility).async {
            var surroundings = self.read(for: configuration)
            surroundings.missingAuthorities = user?.missingAuthorities
            if let variable = user?.authoritiesVariable { surroundings.authoritiesVariable = variable }
            for problem in surroundings.problems(for: configuration) { report(problem) }
        }
    }

    /// All but the certificate authorities, which the transport knows. May block for as long as the spool's disk does.
    static func read(for configuration: WebTrackingConfiguration) -> Surroundings {
        var surroundings = Surroundings()
        surroundings.spoolFileSystem = configuration.spoolDirectory.flatMap { self.fileSystem(of: $0) }
        surroundings.spoolFileSystemBytes = configuration.spoolDirectory.flatMap { self.bytesOfFileSystem(of: $0) }
        surroundings.memoryLimit = self.memoryLimit()
        return surroundings
    }

    /// The kind of file system that a directory is on, or will be; `nil` if that cannot be found out.
    static func fileSystem(of directory: String) -> String? {
        guard let path = self.nearest(directory) else { return nil }
        #if canImport(Darwin)
        var status = statfs()
        guard statfs(path, &status) == 0 else { return nil }
        return withUnsafeBytes(of: &status.f_fstypename) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        #else
        return self.mounts.flatMap { $0.fileSystem(of: path) }
        #endif
    }

    /// The size of that file system; `nil` if there is no bound, or it cannot be found out.
    static func bytesOfFileSystem(of directory: String) -> Int? {
        var status = statvfs()
        guard let path = self.nearest(directory), statvfs(path, &status) == 0, status.f_blocks > 0 else { return nil }
        return Int(
            clamping: UInt64(status.f_blocks).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue
        )
    }

    /// The path without links of a directory, or of the nearest one around it that is there.
    static func nearest(_ directory: String) -> String? {
        var path = directory[...]
        var found: UnsafeMutablePointer<CChar>?
        while true {
            found = realpath(path.isEmpty ? "/" : String(path), nil)
            if found != nil || path.isEmpty { break }
            // It is made when it is needed.
            path = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        }
        guard let found else { return nil }
        defer { free(found) }
        return String(cString: found)
    }

    /// The least limit on memory of the control groups around a process; `nil` if there is none.
    static func memoryLimit(of process: String = "self") -> Int? {
        guard let cgroup = self.text("/proc/\(process)/cgroup", longest: self.longestList), let mounts = self.mounts
        else { return nil }
        return mounts.memoryLimitFiles(cgroup: cgroup).compactMap { path in
            // Version 2 says `max` for none, version 1 a number that no machine has.
            let limit = self.text(path, longest: self.longestNumber).flatMap { Int($0.prefix { $0 != "\n" }) }
            return limit.flatMap { $0 < 1 << 60 ? $0 : nil }
        }.min()
    }

    private static var mounts: MountTable? {
        self.text("/proc/self/mountinfo", longest: self.longestList).map { MountTable($0) }
    }

    private static func text(_ path: String, longest: Int) -> String? {
        guard let descriptor = try? FileSystem.open(path, flags: O_RDONLY) else { return nil }
        defer { close(descriptor) }
        guard let bytes = try? FileSystem.read(descriptor, bytes: longest, path: path) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
