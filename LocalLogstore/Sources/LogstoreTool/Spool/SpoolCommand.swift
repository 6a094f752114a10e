// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import SystemPackage
import WebTracking

/// `webtracking spool`
struct SpoolCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spool",
        abstract: "Looks into a spool directory, and delivers what dead processes left in it.",
        discussion: """
            It works beside the processes that use the directory. Only replay changes anything, and only what belongs \
            to no living process. list, show and verify read what the system lets this user read.

              webtracking spool list /var/lib/app/spool
              webtracking spool show /var/lib/app/spool | jq .message
              webtracking spool verify /var/lib/app/spool
              webtracking spool replay /var/lib/app/spool --endpoint cn-hangzhou
            """,
        subcommands: [SpoolList.self, SpoolShow.self, SpoolVerify.self, SpoolReplay.self]
    )
}

/// `webtracking spool list`
struct SpoolList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Prints a line for each file that holds records.",
        discussion: """
            The columns, separated by tabs: when the first record came, whether the process lives (alive, dead, or \
            aside for what was damaged), records, bytes, project and logstore, topic, batch id, file, damage. What is \
            empty is a hyphen; for the topic that is the base topic, which show --topic "" selects.
            """
    )

    @OptionGroup var arguments: SpoolArguments

    func run() throws {
        var output = Output(.standardOutput)
        do {
            for batch in try self.arguments.batches() { try output.write(SpoolText.line(batch) + "\n") }
            try output.flush()
        } catch Errno.brokenPipe {
            // The reader has seen enough.
        }
    }
}

/// `webtracking spool show`
struct SpoolShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Prints the records, one JSON object a line.",
        discussion: """
            A record's characters that could drive the terminal are escaped, as JSON can. What a living process \
            delivers meanwhile may be missing.
            """
    )

    @OptionGroup var arguments: SpoolArguments

    @Option(help: ArgumentHelp("Only the batch with this id.", valueName: "id"))
    var batch: String?

    @Option(help: "Only records of this topic; \"\" is the base topic.")
    var topic: String?

    @Flag(help: "Only what belongs to no living process.")
    var dead = false

    func run() throws {
        var output = Output(.standardOutput)
        do {
            for batch in try self.arguments.batches() where self.isWanted(batch) {
                try self.arguments.spool.forEachRecord(of: batch) { record in
                    try output.write(SpoolText.json(String(decoding: record, as: UTF8.self)) + "\n")
                }
            }
            try output.flush()
        } catch Errno.brokenPipe {
            // The reader has seen enough.
        }
    }

    private func isWanted(_ batch: WebTrackingSpool.Batch) -> Bool {
        (self.batch == nil || self.batch == batch.batchID) && (self.topic == nil || self.topic == batch.topic)
            && (!self.dead || !batch.isAlive)
    }
}

/// `webtracking spool verify`
struct SpoolVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Checks every record, prints what is damaged, and exits with 1 if anything is."
    )

    @OptionGroup var arguments: SpoolArguments

    func run() throws {
        let batches = try self.arguments.batches()
        let damaged = batches.filter { $0.damage != nil }
        for batch in damaged { try Output.line(SpoolText.line(batch)) }
        let records = batches.reduce(0) { $0 + $1.records }
        try Output.line("\(batches.count) files, \(records) whole records, \(damaged.count) files damaged")
        if !damaged.isEmpty { throw ExitCode.failure }
    }
}
