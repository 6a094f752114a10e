// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// What a look at a spool directory says about it. Decided without a machine.
struct SpoolChecks {
    let directory: String
    /// `nil` if it did not end in time.
    let look: SpoolProbe?

    private static let subjects: [SetupCheck.Subject] = [.spool, .spoolFileSystem, .spoolSpace, .spoolLeft]
    /// A file with room for a few records.
    private static let smallFile = 1 << 20

    static func skipped(_ reason: String) -> [SetupCheck] { Self.subjects.map { SetupCheck($0, .skipped, reason) } }

    func checks(for configuration: WebTrackingConfiguration) -> [SetupCheck] {
        guard let look = self.look else {
            let stalled = SetupCheck(
                .spool,
                .failed,
                "\(self.directory): the disk does not answer",
                suggestion: "stat \(self.quoted); use a local disk"
            )
            return [stalled] + Self.skipped("not known").dropFirst()
        }
        return [
            self.spool(look), self.fileSystem(look, configuration), self.space(look, configuration),
        ] + self.left(look)
    }

    private var quoted: String { SpoolRefusal.quoted(self.directory) }

    private func spool(_ look: SpoolProbe) -> SetupCheck {
        switch look.place {
        case .refused(let path, let refusal):
            return SetupCheck(
                .spool,
                .failed,
                "\(path): \(refusal.reason), and this process is user \(look.user)",
                suggestion: Self.adapted(refusal.suggestion(path, user: look.user), to: refusal, look)
            )
        case .directory(let path):
            if let failure = look.failure { return self.failed(failure, path, look) }
            let locks = look.locksFolders ? "" : "; directories cannot be locked, files can"
            return SetupCheck(.spool, .ok, "\(path): user \(look.user) can make files\(locks)")
        case .parent(let path):
            if let failure = look.failure { return self.failed(failure, path, look) }
            return SetupCheck(.spool, .ok, "\(self.directory): a start makes it, as user \(look.user)")
        }
    }

    /// Root looks at what most likely is of the program's user: to give it to root would shut the program out.
    private static func adapted(_ suggestion: String, to refusal: SpoolRefusal, _ look: SpoolProbe) -> String {
        guard look.user == 0, case .otherUser(let owner) = refusal else { return suggestion }
        return "if the program runs as user \(owner), look as that user; if as root, \(suggestion)"
    }

    private func failed(_ failure: FileError, _ path: String, _ look: SpoolProbe) -> SetupCheck {
        let suggestion: String? =
            switch failure.code {
            case EACCES, EPERM: "install -d -m 700 -o \(look.user) \(self.quoted)"
            case EROFS: "mount a volume that can be written to at \(self.quoted)"
            case ENOSPC: "df -h -i \(SpoolRefusal.quoted(path)); remove files, or take a larger volume"
            case EDQUOT: "quota -u \(look.user); remove files, or raise the quota"
            case EFBIG: "ulimit -f unlimited (LimitFSIZE=infinity)"
            case ENOTDIR: "move what is no directory away, or name another one in spool.directory"
            default: nil
            }
        return SetupCheck(.spool, .failed, "\(failure)", suggestion: suggestion)
    }

    private func fileSystem(_ look: SpoolProbe, _ configuration: WebTrackingConfiguration) -> SetupCheck {
        guard let type = look.surroundings.spoolFileSystem else {
            return SetupCheck(.spoolFileSystem, .skipped, "its kind cannot be found out")
        }
        let codes: Set<EnvironmentProblem> = [.spoolInMemory, .spoolOnNetwork]
        return look.surroundings.check(.spoolFileSystem, .warning, codes, for: configuration)
            ?? SetupCheck(.spoolFileSystem, .ok, type)
    }

    private func space(_ look: SpoolProbe, _ configuration: WebTrackingConfiguration) -> SetupCheck {
        guard let free = look.freeBytes else { return SetupCheck(.spoolSpace, .skipped, "not known") }
        if look.freeFiles == 0 {
            return SetupCheck(
                .spoolSpace,
                .failed,
                "no file can be made: all inodes are in use",
                suggestion: "df -i \(self.quoted); remove files"
            )
        }
        let wanted = max(configuration.spool.maximumBytes - look.usedBytes, 0)
        // What is there is replaced as it is delivered, so a small file is always made.
        guard free < max(wanted, Self.smallFile) else {
            return SetupCheck(.spoolSpace, .ok, "\(Self.mebibytes(free)) are free")
        }
        let isFull = free < Self.smallFile
        return SetupCheck(
            .spoolSpace,
            isFull ? .failed : .warning,
            "\(Self.mebibytes(free)) are free"
                + (wanted > 0 ? ", and the spool may take \(Self.mebibytes(wanted)) more" : ""),
            suggestion: isFull
                ? "df -h \(self.quoted); remove files" : "lower spool.maximumBytes, or take a larger volume"
        )
    }

    private func left(_ look: SpoolProbe) -> [SetupCheck] {
        guard let parts = look.left else {
            return [SetupCheck(.spoolLeft, .skipped, "not known: to read what is there takes too long")]
        }
        let left = parts.filter { part in
            // A link, or a directory that cannot be read, has its line already.
            if case .refused(part.path, _) = look.place { part.files > 0 } else { true }
        }
        guard !left.isEmpty else {
            return [SetupCheck(.spoolLeft, .ok, "nothing that a start would not take over")]
        }
        return left.map { part in
            let (reason, usual) = part.text(directory: self.directory, user: look.user)
            let suggestion =
                if case .refused(let refusal) = part.reason { Self.adapted(usual, to: refusal, look) } else { usual }
            let line = ProducerDiagnostic.spoolLeft(
                path: part.path,
                records: part.records,
                files: part.files,
                reason: reason,
                suggestion: ""
            ).description
            return SetupCheck(.spoolLeft, .warning, String(line.dropLast("; ".count)), suggestion: suggestion)
        }
    }

    private static func mebibytes(_ bytes: Int) -> String { "\(bytes >> 20) MiB" }
}
