// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import LocalLogstore

/// The options that make an endpoint misbehave, for rehearsals. The page has a panel for the same.
struct RehearsalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The share of valid requests that go wrong, from 0 to 1.", valueName: "share"))
    var faultRate = 0.0

    @Option(
        help: ArgumentHelp(
            "What goes wrong, separated by commas: \(Fault.kinds.map(\.name).joined(separator: ", ")). "
                + "Default: 500,reset",
            valueName: "kinds"
        )
    )
    var faultKinds: String?

    @Option(help: ArgumentHelp("Another number picks other requests. Default: 1", valueName: "number"))
    var faultSeed: UInt64?

    @Option(help: ArgumentHelp("Answer this much later, in milliseconds.", valueName: "ms"))
    var latency = 0

    @Option(help: ArgumentHelp("And at most this much more, by chance.", valueName: "ms"))
    var jitter = 0

    @Option(help: ArgumentHelp("So many shards, each with its quota; 0 for no quota.", valueName: "number"))
    var shards = 0

    @Option(help: ArgumentHelp("What a shard takes a second, before compression. Default: 5MB", valueName: "size"))
    var shardBytes: ByteSize?

    @Option(help: ArgumentHelp("How many requests a shard takes a second. Default: 500", valueName: "number"))
    var shardRequests: Int?

    @Option(help: ArgumentHelp("Reset connections: after so many seconds, for so many.", valueName: "after:for"))
    var outage: WindowArgument?

    @Option(help: ArgumentHelp("Answer 401 as with web tracking off, likewise.", valueName: "after:for"))
    var trackingOff: WindowArgument?

    @Option(
        help: ArgumentHelp(
            "Forget a hash key so many seconds after its last write, and take its sequence ids again.",
            valueName: "seconds"
        )
    )
    var forgetKeys: Double?

    @Option(help: ArgumentHelp("Refuse larger requests, before compression.", valueName: "size"))
    var maxRequestBytes: ByteSize?

    @Option(help: ArgumentHelp("Refuse requests with more logs.", valueName: "number"))
    var maxRequestLogs: Int?

    /// What the options say, for the library. Throws a message for the user if that makes no sense.
    func settings() throws -> RehearsalSettings {
        // On its own, each of them would do nothing.
        if self.faultRate == 0, self.faultKinds != nil || self.faultSeed != nil {
            let option = self.faultKinds != nil ? "--fault-kinds" : "--fault-seed"
            throw ValidationError("\(option) needs a --fault-rate, as 0.3: without one no request fails.")
        }
        if self.shards == 0, self.shardBytes != nil || self.shardRequests != nil {
            let option = self.shardBytes != nil ? "--shard-bytes" : "--shard-requests"
            throw ValidationError("\(option) needs --shards: without any there is no quota.")
        }
        var settings = RehearsalSettings()
        settings.errorShare = self.faultRate
        settings.errorKinds = (self.faultKinds ?? "500,reset").split(separator: ",").map(String.init)
        settings.seed = self.faultSeed ?? 1
        settings.latency = self.latency
        settings.jitter = self.jitter
        settings.shards = self.shards
        if let size = self.shardBytes { settings.shardBytes = size.bytes }
        if let requests = self.shardRequests { settings.shardRequests = requests }
        settings.outage = self.outage?.window
        settings.trackingOff = self.trackingOff?.window
        settings.forgetKeys = self.forgetKeys
        settings.maximumBytes = self.maxRequestBytes?.bytes
        settings.maximumLogs = self.maxRequestLogs
        if let problem = settings.problem { throw ValidationError(problem) }
        return settings
    }
}

/// A window of time as `AFTER:FOR`, in seconds.
struct WindowArgument: ExpressibleByArgument, Equatable {
    var window: RehearsalSettings.Window

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let start = Double(parts[0]), let length = Double(parts[1]) else { return nil }
        self.window = RehearsalSettings.Window(start: start, length: length)
    }
}
