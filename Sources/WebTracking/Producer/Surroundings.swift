// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What there is around a producer at its start, as far as it can cost records or memory.
struct Surroundings: Equatable, Sendable {
    /// The kind of file system that the spool is on; `nil` if there is no spool, or that is not known.
    var spoolFileSystem: String?
    /// The size of that file system, in bytes; `nil` if there is no bound, or that is not known.
    var spoolFileSystemBytes: Int?
    /// The least memory that a control group around the process allows, in bytes; `nil` if there is no limit.
    var memoryLimit: Int?
    /// Where certificate authorities were looked for in vain; `nil` if some were found, or none are needed.
    var missingAuthorities: [String]?
    /// The variable of the environment that names a file with certificate authorities.
    var authoritiesVariable = "SSL_CERT_FILE"

    private static let inMemory: Set<String> = ["tmpfs", "ramfs"]
    private static let overNetwork: Set<String> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs", "lustre", "gfs2", "ocfs2", "gpfs", "beegfs",
        "vboxsf", "webdav", "afpfs",
    ]

    /// What a program or the machine around a virtual one serves: possibly from a local disk.
    private static let served: Set<String> = ["virtiofs", "fuse", "macfuse"]

    /// What is beside `memoryLimit` at most (`Docs/Production.md`): buffers, and two copies of each request.
    private static let buffers = 4 << 20
    private static let copies = 2

    /// What is wrong, as diagnostics.
    func problems(for configuration: WebTrackingConfiguration) -> [ProducerDiagnostic] {
        self.problemsOfSpool(configuration) + self.problemsOfMemory(configuration) + self.problemsOfTLS(configuration)
    }

    private var isSpoolInMemory: Bool { self.spoolFileSystem.map { Self.inMemory.contains($0) } ?? false }

    private func problemsOfSpool(_ configuration: WebTrackingConfiguration) -> [ProducerDiagnostic] {
        guard let type = self.spoolFileSystem, let directory = configuration.spoolDirectory,
            // A rescue takes files where they are.
            !configuration.spool.isRescue
        else { return [] }
        if self.isSpoolInMemory {
            return [
                .environment(
                    code: .spoolInMemory,
                    reason:
                        "the spool \(directory) is in memory (\(type)): it counts as memory of the container and does "
                        + "not survive the machine",
                    suggestion: "use a volume on a disk"
                )
            ]
        }
        // What a program serves says so by the beginning: `fuse.sshfs`. This one has a local disk below.
        let isServed = Self.served.contains(type) || type.hasPrefix("fuse.") && type != "fuse.fuse-overlayfs"
        guard isServed || Self.overNetwork.contains(type) else { return [] }
        return [
            .environment(
                code: .spoolOnNetwork,
                reason: isServed
                    ? "the spool \(directory) is on a file system that another program serves (\(type)): if that is from "
                        + "another machine, its locks may outlive a process"
                    : "the spool \(directory) is on a file system of another machine (\(type)): its locks may outlive a "
                        + "process, and a store may end one",
                suggestion: "use a local disk"
            )
        ]
    }

    private func problemsOfMemory(_ configuration: WebTrackingConfiguration) -> [ProducerDiagnostic] {
        guard let limit = self.memoryLimit else { return [] }
        let requests = configuration.delivery.maximumConcurrentRequests * configuration.batching.maximumRequestBytes
        let beside = Self.copies * requests + Self.buffers
        // A rescue makes no more files than there are.
        let files =
            self.isSpoolInMemory && !configuration.spool.isRescue
            ? min(configuration.spool.maximumBytes, self.spoolFileSystemBytes ?? .max) : 0
        let needed = configuration.memoryLimit + beside + files
        guard needed > limit else { return [] }
        var parts = [
            "\(Self.mebibytes(configuration.memoryLimit)) of memoryLimit", "\(Self.mebibytes(beside)) of requests",
        ]
        if files > 0 { parts.append("\(Self.mebibytes(files)) of a spool in memory") }
        return [
            .environment(
                code: .memoryLimit,
                reason: "the control group allows \(Self.mebibytes(limit)), and the settings let logs alone use "
                    + parts.joined(separator: " + "),
                suggestion: "raise the limit, or lower memoryLimit"
                    + (files > 0 ? " and spool.maximumBytes" : " or delivery.maximumConcurrentRequests")
            )
        ]
    }

    private func problemsOfTLS(_ configuration: WebTrackingConfiguration) -> [ProducerDiagnostic] {
        guard let paths = self.missingAuthorities, (try? Endpoint.parse(configuration.endpoint).isSecure) ?? false
        else {
            return []
        }
        return [
            .environment(
                code: .noCertificates,
                reason: "no certificate authorities in \(paths.joined(separator: ", ")), and the endpoint is https",
                suggestion: "install them (apt-get install ca-certificates), or name a file with them in "
                    + self.authoritiesVariable
            )
        ]
    }

    private static func mebibytes(_ bytes: Int) -> String { "\((bytes + (1 << 19)) >> 20) MiB" }
}

/// A transport that looks for certificate authorities in files.
package protocol AuthoritiesUser: Sendable {
    /// Where it looks for them in vain; `nil` if there are some.
    var missingAuthorities: [String]? { get }
    /// The variable of the environment that names another file with them.
    var authoritiesVariable: String { get }
}

/// A directory of files that are named by hashes (`c_rehash`), where TLS libraries on Linux look for authorities, too.
package enum HashedAuthorities {
    /// Whether there are some.
    package static var isThere: Bool {
        ((try? FileSystem.names(in: "/etc/ssl/certs")) ?? []).contains { $0.hasSuffix(".0") }
    }
}
