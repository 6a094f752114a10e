// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import WebTracking

/// The directory, and how it is read.
struct SpoolArguments: ParsableArguments {
    @Argument(help: ArgumentHelp("The spool directory.", valueName: "dir"))
    var directory: String

    var spool: WebTrackingSpool { WebTrackingSpool(directory: self.directory) }

    /// What is in the directory.
    func batches() throws -> [WebTrackingSpool.Batch] { try self.look { try self.spool.batches() } }

    /// What dead processes have left in it.
    func remains(permits: WebTrackingConfiguration.Spool.Permits) throws -> [WebTrackingSpool.Remains] {
        try self.look { try self.spool.remains(permits: permits) }
    }

    /// What cannot be a spool directory is said so: "nothing there" would be taken for good news.
    private func look<Found>(_ body: () throws -> [Found]) throws -> [Found] {
        do {
            let found = try body()
            guard found.isEmpty, let fault = try self.fault() else { return found }
            Output.note(TerminalText.escaped("webtracking: \(self.directory) is \(fault)"))
        } catch {
            Output.note(TerminalText.escaped("webtracking: \(error)"))
        }
        throw ExitCode.failure
    }

    /// What the directory is if it is no spool directory.
    private func fault() throws -> String? {
        // A volume of its own has that one from the beginning.
        let names = try FileManager.default.contentsOfDirectory(atPath: self.directory).filter { $0 != "lost+found" }
        let isSpool = names.contains {
            $0.hasPrefix("producer-") || $0.hasPrefix(".producer-") || $0.hasPrefix("webtracking-") || $0 == "damaged"
        }
        if names.isEmpty || isSpool { return nil }
        let url = URL(fileURLWithPath: self.directory).standardizedFileURL
        let parent = url.deletingLastPathComponent().path
        switch url.lastPathComponent {
        case let name where name.hasPrefix("producer-") || name.hasPrefix(".producer-"):
            return "the folder of one producer; the spool directory is \(parent)"
        case "damaged": return "where damaged files are kept; the spool directory is \(parent)"
        default: return "no spool directory: nothing in it is a producer's"
        }
    }
}
