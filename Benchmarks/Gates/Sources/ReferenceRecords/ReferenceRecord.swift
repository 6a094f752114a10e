// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import Logging

/// The records that everything is measured with.
///
/// Each is logged by a call as an application writes it, so that what swift-log's front end costs is in all figures.
public enum ReferenceRecord: String, CaseIterable, Sendable {
    /// A message of 24 bytes, no metadata.
    case short
    /// A message of about 80 bytes with a number in it, and four interpolated metadata values, two of them integers:
    /// the record that tables are about if they do not say otherwise.
    case reference
    /// The same message and sixteen metadata values, eight of them integers, one of them not ASCII.
    case wide
    /// A message of 10 KiB with line feeds, tabs and quotes, as a stack trace has; two metadata values.
    case large

    /// Logs the record with the number `index` in it.
    @inline(__always)
    public func log(_ index: Int, to logger: Logger) {
        switch self {
        case .short: Self.logShort(to: logger)
        case .reference: Self.logReference(index, to: logger)
        case .wide: Self.logWide(index, to: logger)
        case .large: Self.logLarge(index, to: logger)
        }
    }

    /// Logs what ``reference`` is, at a level that a logger for `info` does not let through.
    @inline(never)
    public static func logDisabled(_ index: Int, to logger: Logger) {
        let request = RequestContext.number(index)
        logger.debug(
            "handled order \(index) of a customer, and wrote what became of it to the ledger",
            metadata: [
                "request.id": "\(request.id)",
                "path": "\(request.path)",
                "status": "\(request.status)",
                "duration_us": "\(request.duration)",
            ]
        )
    }

    /// Logs what ``reference`` is, and a value that goes by the name of a secret.
    @inline(never)
    public static func logSecret(_ index: Int, to logger: Logger) {
        let request = RequestContext.number(index)
        logger.info(
            "handled order \(index) of a customer, and wrote what became of it to the ledger",
            metadata: [
                "request.id": "\(request.id)",
                "path": "\(request.path)",
                "status": "\(request.status)",
                "duration_us": "\(request.duration)",
                "session.token": "4bf92f3577b34da6a3ce929d0e0e4736",
            ]
        )
    }

    /// Logs what ``reference`` is, with metadata in one of four orders: a dictionary's depends on its capacity, too.
    @inline(never)
    public static func logReordered(_ index: Int, to logger: Logger) {
        let request = RequestContext.number(index)
        var metadata = Logger.Metadata(minimumCapacity: 4 << (index & 3))
        metadata["request.id"] = "\(request.id)"
        metadata["path"] = "\(request.path)"
        metadata["status"] = "\(request.status)"
        metadata["duration_us"] = "\(request.duration)"
        logger.info(
            "handled order \(index) of a customer, and wrote what became of it to the ledger",
            metadata: metadata
        )
    }

    /// Logs what ``reference`` is, with metadata that `dictionaries` holds on to.
    @inline(never)
    public static func logKept(_ index: Int, in dictionaries: KeptDictionaries, to logger: Logger) {
        let request = RequestContext.number(index)
        let metadata: Logger.Metadata = [
            "request.id": "\(request.id)",
            "path": "\(request.path)",
            "status": "\(request.status)",
            "duration_us": "\(request.duration)",
        ]
        dictionaries.keep(metadata, at: index)
        logger.info(
            "handled order \(index) of a customer, and wrote what became of it to the ledger",
            metadata: metadata
        )
    }

    /// Logs what ``reference`` is, always the same one.
    @inline(__always)
    public static func logSame(to logger: Logger) {
        self.logReference(0, to: logger)
    }

    @inline(never)
    private static func logShort(to logger: Logger) {
        logger.info("connection pool is ready")
    }

    @inline(never)
    private static func logReference(_ index: Int, to logger: Logger) {
        let request = RequestContext.number(index)
        logger.info(
            "handled order \(index) of a customer, and wrote what became of it to the ledger",
            metadata: [
                "request.id": "\(request.id)",
                "path": "\(request.path)",
                "status": "\(request.status)",
                "duration_us": "\(request.duration)",
            ]
        )
    }

    @inline(never)
    private static func logWide(_ index: Int, to logger: Logger) {
        let request = RequestContext.number(index)
        logger.info(
            "handled order \(index) of a customer, and wrote what became of it to the ledger",
            metadata: [
                "request.id": "\(request.id)",
                "path": "\(request.path)",
                "status": "\(request.status)",
                "duration_us": "\(request.duration)",
                "trace.id": "4bf92f3577b34da6a3ce929d0e0e4736",
                "span.id": "00f067aa0ba902b7",
                "method": "POST",
                "customer": "Ærøskøbing Bådebyggeri",
                "region": "cn-hangzhou",
                "user.agent": "order-client/4.2 (linux)",
                "bytes.in": "\(index % 1000)",
                "bytes.out": "\(4096 + index % 4096)",
                "items": "\(index % 17)",
                "attempt": "\(index % 3)",
                "shard": "\(index % 64)",
                "queue.length": "\(index % 1024)",
            ]
        )
    }

    @inline(never)
    private static func logLarge(_ index: Int, to logger: Logger) {
        logger.info(
            Self.trace,
            metadata: ["request.id": "\(RequestContext.number(index).id)", "thread": "\(index % 64)"]
        )
    }

    /// 10 KiB of lines of 80 bytes.
    private static let trace: Logger.Message = {
        var text = ""
        var frame = 0
        while text.utf8.count < 10 << 10 {
            var line = "\(frame)\tOrderService \"libOrders.so\" 0x00007f3a9c520c11 closure in Ledger.append"
            while line.utf8.count < 79 { line += "." }
            text += line + "\n"
            frame += 1
        }
        return Logger.Message(stringLiteral: text)
    }()
}
