// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// A fresh directory for the spools of one run, in memory where there is a place for that and no other one is named.
struct SpoolDirectory {
    let path: String

    /// Makes the directory; ends the process if there is no place for it.
    init(in directory: String?) {
        let memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : nil
        let parent = directory ?? memory ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/webtracking-simulation-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "no directory for a spool in \(parent)")
        self.path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// What is in a spool of the run, by names relative to it.
    func names(in spool: String) -> [String] { Self.names(in: "\(self.path)/\(spool)") }

    /// The bytes of the files for records in one producer's folder.
    func bytes(in folder: String) -> Int {
        Self.names(in: "\(self.path)/\(folder)").filter { $0.hasSuffix(".seg") }.reduce(0) { sum, name in
            var status = stat()
            return stat("\(self.path)/\(folder)/\(name)", &status) == 0 ? sum + Int(status.st_size) : sum
        }
    }

    /// The number of the process that a producer's folder names, as that has not stopped.
    static func process(of folder: String) -> Int? {
        guard let bytes = Self.read("\(folder)/process") else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
        return parts.firstIndex(of: "pid").flatMap { Int(parts[$0 + 2]) }
    }

    /// Puts a copy in the place of each batch of a folder, so that whoever has mapped the old one keeps that for himself.
    static func renewFiles(in folder: String) {
        for name in Self.names(in: folder) where name.hasSuffix(".seg") {
            let path = "\(folder)/\(name)"
            guard let bytes = Self.read(path) else { continue }
            let draft = "\(path).new"
            let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL, 0o600)
            let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            close(descriptor)
            precondition(written == bytes.count && rename(draft, path) == 0, "\(path) cannot be copied")
        }
    }

    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        return count == bytes.count ? bytes : nil
    }

    /// Removes everything.
    func remove() { Self.remove(self.path) }

    private static func names(in path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func remove(_ path: String) {
        if unlink(path) == 0 { return }
        for name in self.names(in: path) { self.remove("\(path)/\(name)") }
        rmdir(path)
    }
}
