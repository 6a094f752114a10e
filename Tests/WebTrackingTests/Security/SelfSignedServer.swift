// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// `openssl s_server`, which nobody here wrote, with a certificate that nobody vouches for.
final class SelfSignedServer {
    /// What is special about it.
    enum Kind: Sendable {
        case usual
        case expired
        case ofAnotherName
        /// TLS 1.1 at most.
        case old
    }

    let port: Int
    /// The file with its certificate.
    let certificate: String
    /// The file with its key.
    let key: String
    private let process = Process()
    private let output = Pipe()
    private let folder: URL
    private var said = ""

    static var canRun: Bool { Self.openssl != nil }

    private static let authority = """
        [ca]
        default_ca = d
        [d]
        database = index
        serial = serial
        new_certs_dir = .
        default_md = sha256
        policy = p
        copy_extensions = copy
        [p]
        commonName = supplied
        """

    /// The program, wherever the machine has it.
    private static let openssl = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/openssl" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    private struct Failure: Error { let reason: String }

    init(_ kind: Kind = .usual) throws {
        guard let openssl = Self.openssl else { throw Failure(reason: "no openssl") }
        self.folder = FileManager.default.temporaryDirectory.appendingPathComponent("webtracking-tls-\(UUID())")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        let (key, certificate) = (self.folder.appendingPathComponent("key"), self.folder.appendingPathComponent("cert"))
        self.certificate = certificate.path
        self.key = key.path
        let name = kind == .ofAnotherName ? "other.example.com" : "localhost"
        let subject = [
            "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name)",
        ]
        let folder = self.folder
        func run(_ arguments: [String]) throws {
            let maker = Process()
            maker.executableURL = URL(fileURLWithPath: openssl)
            maker.arguments = arguments
            maker.currentDirectoryURL = folder
            maker.standardError = FileHandle.nullDevice
            maker.standardOutput = FileHandle.nullDevice
            try maker.run()
            maker.waitUntilExit()
        }
        if kind == .expired {
            // Only this command takes dates, in older versions, too.
            try Data(Self.authority.utf8).write(to: self.folder.appendingPathComponent("settings"))
            try Data().write(to: self.folder.appendingPathComponent("index"))
            try Data("01".utf8).write(to: self.folder.appendingPathComponent("serial"))
            try run(["req", "-new"] + subject + ["-keyout", key.path, "-out", "request"])
            try run([
                "ca", "-batch", "-config", "settings", "-selfsign", "-keyfile", key.path, "-in", "request", "-out",
                certificate.path, "-startdate", "20200101000000Z", "-enddate", "20210101000000Z", "-notext",
            ])
        } else {
            try run(["req", "-x509", "-days", "2"] + subject + ["-keyout", key.path, "-out", certificate.path])
        }
        self.process.executableURL = URL(fileURLWithPath: openssl)
        self.process.arguments = [
            "s_server", "-accept", "0", "-key", key.path, "-cert", certificate.path,
        ]
        // Which this program does itself only with less security than usual.
        if kind == .old { self.process.arguments?.append(contentsOf: ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"]) }
        self.process.standardOutput = self.output
        self.process.standardError = FileHandle.nullDevice
        // It ends with its input.
        self.process.standardInput = Pipe()
        try self.process.run()
        // "ACCEPT [::]:PORT", with or without a line feed behind it, in one piece.
        var said = ""
        while !said.contains("ACCEPT") {
            let part = self.output.fileHandleForReading.availableData
            guard !part.isEmpty else { throw Failure(reason: "openssl ended: \(said)") }
            said += String(decoding: part, as: UTF8.self)
        }
        self.said = said
        let digits = said.trimmingCharacters(in: .whitespacesAndNewlines).split(separator: ":").last
        guard let port = digits.flatMap({ Int($0) }) else {
            kill(self.process.processIdentifier, SIGKILL)
            throw Failure(reason: "no port in \(said)")
        }
        self.port = port
    }

    /// Stops the server; returns all that it has said, which is what it has read, too.
    func stop() -> String {
        // A signal that a child of this process may not have blocked.
        kill(self.process.processIdentifier, SIGKILL)
        let rest = self.output.fileHandleForReading.readDataToEndOfFile()
        self.process.waitUntilExit()
        try? FileManager.default.removeItem(at: self.folder)
        return self.said + String(decoding: rest, as: UTF8.self)
    }
}
