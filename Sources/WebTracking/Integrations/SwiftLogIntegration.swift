// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog

public import Logging

extension WebTrackingProducer {
    /// Bootstraps swift-log with a producer.
    ///
    /// Like `LoggingSystem.bootstrap`, to be called once in a process. Keep the producer: its
    /// ``shutdown(timeout:)`` sends the last lines.
    ///
    /// - Parameters:
    ///   - producer: Makes and delivers the records.
    ///   - keepingConsole: Whether lines also go to standard error, through swift-log's `StreamLogHandler`: the same lines,
    ///     at the same levels, without redaction and sampling.
    ///   - metadataProvider: Supplies metadata from the context of each event.
    public static func bootstrap(
        _ producer: WebTrackingProducer,
        keepingConsole: Bool = false,
        metadataProvider: LogMetadataProvider? = nil
    ) {
        LoggingSystem.bootstrap(
            { label, provider in
                producer.makeSwiftLogHandler(label: label, metadataProvider: provider, keepingConsole: keepingConsole)
            },
            metadataProvider: metadataProvider
        )
    }

    /// A handler, or a pair of this handler and the console's.
    func makeSwiftLogHandler(
        label: String,
        metadataProvider: LogMetadataProvider?,
        keepingConsole: Bool
    ) -> any LogHandler {
        let handler = self.makeLogHandler(label: label, metadataProvider: metadataProvider)
        guard keepingConsole else { return handler }
        let console = StreamLogHandler.standardError(label: label, metadataProvider: metadataProvider)
        return ConsolePair(sending: handler, console: console)
    }
}

#endif
