// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog

import Logging

/// Gives each event to this backend's handler and to the console's, by the level of this backend's handler.
///
/// swift-log's `MultiplexLogHandler` reads the lowest level of its handlers once, when it is made. A level that changes
/// later would not reach loggers that exist. This type asks the sending handler for its level each time.
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
        // The console calls the provider and the descriptions itself, and these may log: `depth` ends that recursion.
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

    /// Changes the console's metadata. The console then asks the values for descriptions, and these may log.
    private mutating func changeConsole(_ change: (inout StreamLogHandler) -> Void) {
        EncoderScratch.nest { depth in
            if depth < RecordPipeline.deepest { change(&self.console) }
        }
    }
}

#endif
