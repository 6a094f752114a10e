// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog

import Logging

/// This backend's handler and the console's as one: what the one takes the other shows.
///
/// swift-log's `MultiplexLogHandler` keeps the lowest level that its handlers had when it was made, so levels that change while
/// the program runs would not reach loggers that exist. Here the sending handler's level is asked for each time.
struct ConsolePair: LogHandler {
    private var sending: WebTrackingLogHandler
    private var console: StreamLogHandler

    init(sending: WebTrackingLogHandler, console: StreamLogHandler) {
        self.sending = sending
        self.console = console
    }

    var logLevel: Logger.Level {
        get { self.sending.logLevel }
        set {
            self.sending.logLevel = newValue
            self.console.logLevel = newValue
        }
    }

    var metadata: Logger.Metadata {
        get { self.sending.metadata }
        set {
            self.sending.metadata = newValue
            self.changeConsole { $0.metadata = newValue }
        }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { self.sending.metadataProvider }
        set {
            self.sending.metadataProvider = newValue
            self.console.metadataProvider = newValue
        }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.sending[metadataKey: key] }
        set {
            self.sending[metadataKey: key] = newValue
            self.changeConsole { $0[metadataKey: key] = newValue }
        }
    }

    func log(event: LogEvent) {
        self.sending.log(event: event)
        // The console asks the provider and the values by itself, and whoever is asked may log in turn.
        EncoderScratch.nest { depth in
            guard depth > 0 else { return self.console.log(event: event) }
            var (console, event) = (self.console, event)
            console.metadataProvider = nil
            if depth >= RecordPipeline.deepest {
                console.metadata = [:]
                event.metadata = nil
                event.error = nil
            }
            console.log(event: event)
        }
    }

    /// Changes metadata of the console's, which asks the values for their descriptions at once.
    private mutating func changeConsole(_ change: (inout StreamLogHandler) -> Void) {
        EncoderScratch.nest { depth in
            if depth < RecordPipeline.deepest { change(&self.console) }
        }
    }
}

#endif
