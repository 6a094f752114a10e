// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// Who made a producer's folder. `Docs/Reference/SpoolFormat.md` describes the file for readers of it.
///
/// The file is there from the making of the folder until a shutdown has done what it can. So if it is there when the
/// folder is taken over, the process ended without a stop. That a stop removes it, instead of writing something, works on
/// a full disk too.
struct SpoolProcess: Equatable, Sendable {
    static let fileName = "process"
    static let version: UInt64 = 1
    /// Longer than any host, destination and topic.
    static let largestFile = 64 << 10
    /// Of Linux and macOS, and of the Domain Name System.
    private static let longestHost = 255

    var process: ProcessIdentity
    /// When the producer was made, nanoseconds since 1970.
    var startedAt: Int64
    /// Project and logstore, as in the header of a file with records.
    var destination: String
    /// The topic of records that have no other.
    var topic: String

    /// What is in such a file.
    enum Finding: Equatable {
        case process(SpoolProcess)
        /// A newer version wrote it.
        case newer
        /// Its process died between the making of the file and its text.
        case empty
        case damaged
    }

    /// The bytes of the file: a line of JSON, and a line with its check.
    var bytes: [UInt8] {
        var writer = ByteWriter()
        func append(_ name: StaticString, _ text: String, to writer: inout ByteWriter) {
            writer.append(literal: name)
            text.withBytes { writer.append(escapingToQuote: $0) }
        }
        writer.append(literal: "{\"version\":")
        writer.append(decimal: Self.version)
        append(",\"pid\":\"", "\(self.process.pid)", to: &writer)
        append(",\"host\":\"", self.process.host, to: &writer)
        append(",\"started\":\"", "\(self.startedAt)", to: &writer)
        append(",\"destination\":\"", self.destination, to: &writer)
        append(",\"topic\":\"", self.topic, to: &writer)
        writer.append(literal: "}")
        let line = writer.withBytes { Array($0) }
        return line + Array("\n\(Self.check(line).hexadecimal)\n".utf8)
    }

    private static func check(_ line: [UInt8]) -> UInt64 {
        line.withUnsafeBytes { bytes in
            bytes.baseAddress.map { RecordCheck.of($0, count: bytes.count, seed: SpoolFormat.magic) } ?? 0
        }
    }

    static func read(_ bytes: [UInt8]) -> Finding {
        if bytes.isEmpty { return .empty }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
        guard lines.count == 3, lines[2].isEmpty, lines[1] == Array(Self.check(lines[0]).hexadecimal.utf8),
            case .object(let members)? = try? JSONValue.parse(lines[0]),
            case .number(let text)? = members.first(where: { $0.name == "version" })?.value,
            let version = UInt64(text)
        else { return .damaged }
        // The form of the two lines stays, whatever newer versions put into the first one.
        guard version == Self.version else { return .newer }
        guard let pid = members.text("pid").flatMap({ Int64($0) }), let host = members.text("host"),
            let startedAt = members.text("started").flatMap({ Int64($0) }),
            let destination = members.text("destination"), let topic = members.text("topic"),
            pid > 0, host.utf8.count <= Self.longestHost, topic.utf8.count <= TopicKey.maximumTopicBytes
        else { return .damaged }
        return .process(
            SpoolProcess(
                process: ProcessIdentity(pid: pid, host: host),
                startedAt: startedAt,
                destination: destination,
                topic: topic
            )
        )
    }
}

extension SpoolFolder {
    /// What times are noted in: whole microseconds.
    private static let granularity: Int64 = 1000

    private var processPath: String { "\(self.path)/\(SpoolProcess.fileName)" }

    /// Writes down who made this folder. An empty file counts as nothing, and so does one that is written in part, which is
    /// found damaged. Returns the file's path.
    func note(_ process: SpoolProcess) throws(FileError) -> String {
        let path = self.processPath
        let descriptor = try FileSystem.open(path, flags: O_WRONLY | O_CREAT | O_EXCL)
        defer { close(descriptor) }
        self.access.share(descriptor)
        let bytes = process.bytes
        let count = bytes.withUnsafeBytes { bytes in
            FileSystem.withoutSizeSignal { write(descriptor, bytes.baseAddress, bytes.count) }
        }
        guard count == bytes.count else {
            let error = FileError("write", path, code: count < 0 ? errno : ENOSPC)
            unlink(path)
            throw error
        }
        // No batch was begun yet.
        self.noteBatch(at: 0)
        return path
    }

    /// Who made this folder, or `nil` if it does not say, and when its last batch was begun, if there was one.
    func process() throws(FileError) -> (finding: SpoolProcess.Finding, lastBatchAt: Int64?)? {
        let path = self.processPath
        do throws(FileError) {
            let descriptor = try FileSystem.open(path, flags: O_RDONLY | O_NONBLOCK)
            defer { close(descriptor) }
            let size = try FileSystem.size(descriptor, path: path, access: self.access)
            guard size <= SpoolProcess.largestFile else { return (.damaged, nil) }
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw FileError("fstat", path) }
            #if canImport(Darwin)
            let time = status.st_mtimespec
            #else
            let time = status.st_mtim
            #endif
            let bytes = try FileSystem.read(descriptor, bytes: size, path: path)
            let nanoseconds = Int64(time.tv_sec).saturatingMultiply(1_000_000_000).saturatingAdd(Int64(time.tv_nsec))
            // The time of a file that was copied is the copy's, and hardly ever whole.
            let isNoted = nanoseconds > 0 && nanoseconds % Self.granularity == 0
            return (SpoolProcess.read(bytes), isNoted ? nanoseconds : nil)
        } catch {
            if error.isAbsence { return nil }
            throw error
        }
    }

    /// Notes that a batch was begun, as the time of the file. If that fails, what is told later is less exact.
    func noteBatch(at wallTime: Int64) {
        guard wallTime >= 0 else { return }
        let wallTime = wallTime - wallTime % Self.granularity
        let time = timespec(
            tv_sec: time_t(wallTime / 1_000_000_000),
            tv_nsec: .init(wallTime % 1_000_000_000)
        )
        // By the folder that is open, and not through a link: another one may stand at the path by now.
        withUnsafePointer(to: (time, time)) { times in
            times.withMemoryRebound(to: timespec.self, capacity: 2) {
                _ = utimensat(self.descriptor, SpoolProcess.fileName, $0, AT_SYMLINK_NOFOLLOW)
            }
        }
    }

    /// Throws if what says who made this folder could not be removed: then each start would tell of its end.
    func checkRemovableProcess() throws(FileError) {
        guard faccessat(self.descriptor, ".", W_OK, AT_EACCESS) != 0 else { return }
        // Another error is not about the folder: some containers' filters answer EPERM to a call that they do not know.
        guard errno == EACCES || errno == EROFS else { return }
        throw FileError("unlink", self.processPath)
    }

    /// Removes what says who made this folder, as there is nothing more to tell of that process.
    func removeProcess() throws(FileError) {
        // In the folder that is open, wherever that was moved to.
        guard unlinkat(self.descriptor, SpoolProcess.fileName, 0) != 0, errno != ENOENT else { return }
        throw FileError("unlink", self.processPath)
    }
}
