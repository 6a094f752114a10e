// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalLogstoreTestSupport

/// TLS in front of an endpoint: socat, with a certificate for `localhost` of an authority that openssl has made.
final class TLSFront: Sendable {
    /// What is special about it.
    enum Kind: Sendable {
        case usual
        case expired
        case notYetValid
        /// It ends in five days.
        case ending
        /// It began today, and is good for four days.
        case short
        case ofAnotherName
        /// TLS 1.1 at most.
        case old
    }

    let port: Int
    /// The file with the certificate of the authority.
    let authority: String
    private let process: Process

    private struct Failure: Error { let reason: String }

    static let canRun = ["openssl", "socat"].allSatisfy { name in
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            .contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
    }

    /// Only this command of openssl takes dates, in older versions, too.
    private static let script = """
        set -e
        cat >settings <<END
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
        END
        : >index
        echo 01 >serial
        key="ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        openssl req -x509 -newkey $key -days 3650 -subj /CN=Test-Authority -keyout ca.key -out ca.pem
        openssl req -new -newkey $key -subj "/CN=$1" -addext "subjectAltName=DNS:$1" -keyout key.pem -out request.pem
        openssl ca -batch -config settings -cert ca.pem -keyfile ca.key -in request.pem -out cert.pem -notext \\
            -startdate "$2" -enddate "$3"
        cat key.pem >>cert.pem
        """

    /// - Parameter endpoint: The port of what is behind it.
    init(_ kind: Kind = .usual, inFrontOf endpoint: Int, in folder: URL) async throws {
        let day = 86_400.0
        let (from, until) =
            switch kind {
            case .expired: (-40 * day, -10 * day)
            case .notYetValid: (10 * day, 40 * day)
            case .ending: (-40 * day, 5 * day)
            case .short: (0, 4 * day)
            default: (-day, 365 * day)
            }
        let shell = try Self.start(
            "sh",
            [
                "-c", Self.script, "sh", kind == .ofAnotherName ? "other.example.com" : "localhost",
                Self.text(from), Self.text(until),
            ],
            in: folder
        )
        try await onOwnThread { shell.process.waitUntilExit() }
        guard shell.process.terminationStatus == 0 else { throw Failure(reason: "no certificate") }
        let path = folder.path
        self.authority = "\(path)/ca.pem"
        let old = kind == .old ? ",openssl-max-proto-version=TLS1.1,cipher=DEFAULT:@SECLEVEL=0" : ""
        let socat = try Self.start(
            "socat",
            [
                "-d", "-d", "OPENSSL-LISTEN:0,bind=127.0.0.1,fork,verify=0,cert=\(path)/cert.pem\(old)",
                "TCP:127.0.0.1:\(endpoint)",
            ],
            in: folder
        )
        self.process = socat.process
        // "… listening on AF=2 127.0.0.1:PORT"
        let errors = socat.errors
        let port = try await onOwnThread { () -> Int? in
            var said = ""
            while true {
                let part = errors.fileHandleForReading.availableData
                if part.isEmpty { throw Failure(reason: "socat ended: \(said)") }
                said += String(decoding: part, as: UTF8.self)
                if let found = said.firstMatch(of: /listening on .*:(\d+)\n/) { return Int(found.output.1) }
            }
        }
        guard let port else { throw Failure(reason: "no port") }
        self.port = port
        // What it says of connections is not to fill the pipe.
        errors.fileHandleForReading.readabilityHandler = { _ = $0.availableData }
    }

    deinit {
        self.process.terminate()
    }

    private static func text(_ seconds: Double) -> String {
        let date = Date().addingTimeInterval(seconds).formatted(.iso8601.year().month().day().dateSeparator(.omitted))
        return "\(date)000000Z"
    }

    private static func start(
        _ program: String,
        _ arguments: [String],
        in folder: URL
    ) throws -> (process: Process, errors: Pipe) {
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = program == "socat" ? errors : FileHandle.nullDevice
        try process.run()
        return (process, errors)
    }
}
