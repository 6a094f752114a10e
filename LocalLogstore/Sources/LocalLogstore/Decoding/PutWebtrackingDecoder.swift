// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Judges a `POST /logstores/{name}/track` and turns it into a ``LogGroup``.
///
/// Pure. In strict mode what the documentation does not allow is refused, though the service itself is more lenient; in
/// compatible mode what official clients are known to send is taken as well. See ``DecodingMode``.
public struct PutWebtrackingDecoder: Sendable {
    /// The parts of a request that the decision depends on. Header values are `nil` where the header is absent.
    public struct Input: Sendable {
        /// `x-log-apiversion`
        public var version: String?
        /// `x-log-bodyrawsize`
        public var rawSize: String?
        /// `x-log-compresstype`
        public var compressType: String?
        public var body: [UInt8]

        public init(version: String?, rawSize: String?, compressType: String?, body: [UInt8]) {
            self.version = version
            self.rawSize = rawSize
            self.compressType = compressType
            self.body = body
        }
    }

    /// An accepted request.
    public struct Output: Sendable, Equatable {
        public var group: LogGroup
        public var compression: Compression
        /// Bytes before compression.
        public var rawBytes: Int
        /// Bytes as sent.
        public var wireBytes: Int
    }

    public var limits: TrackLimits
    public var mode: DecodingMode
    /// What bodies may be compressed with.
    public var compressions: [Compression] = [.lz4, .deflate]

    public init(limits: TrackLimits = TrackLimits(), mode: DecodingMode = .strict) {
        self.limits = limits
        self.mode = mode
    }

    /// Decodes a request, or throws the answer that the service would give.
    public func decode(_ input: Input) throws(ServiceError) -> Output {
        let (raw, compression) = try self.expand(input)
        var parser = LogGroupParser(raw, limits: self.limits, mode: self.mode)
        return Output(
            group: try parser.parse(),
            compression: compression,
            rawBytes: raw.count,
            wireBytes: input.body.count
        )
    }

    /// The body before compression, as far as the headers are right.
    func expand(_ input: Input) throws(ServiceError) -> (raw: [UInt8], compression: Compression) {
        if self.mode == .strict || input.version != nil { try ServiceError.checkVersion(input.version) }
        let compression = try self.compression(input.compressType)
        // What is not compressed needs no size; some clients count characters instead of bytes, or leave it out.
        let isSizeStated = self.mode == .strict || compression != .none
        let rawSize = isSizeStated ? try self.rawSize(input.rawSize) : input.body.count
        try self.check(rawSize: compression == .none ? max(rawSize, input.body.count) : rawSize)

        let raw = try Decompression.expand(input.body, compression: compression, rawSize: rawSize)
        guard raw.count == rawSize else {
            throw ServiceError(
                status: 400,
                code: "InvalidBodyRawSize",
                message: "The body holds \(raw.count) bytes, x-log-bodyrawsize says \(rawSize)."
            )
        }
        return (raw, compression)
    }

    private func rawSize(_ header: String?) throws(ServiceError) -> Int {
        guard let header else {
            throw ServiceError(
                status: 400,
                code: "MissingBodyRawSize",
                message: "The header x-log-bodyrawsize is missing."
            )
        }
        // Int's own parser would take a sign.
        guard header.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let size = Int(header)
        else {
            throw ServiceError(
                status: 400,
                code: "InvalidBodyRawSize",
                message: "The header x-log-bodyrawsize is not a number of bytes."
            )
        }
        return size
    }

    private func compression(_ header: String?) throws(ServiceError) -> Compression {
        guard let header else { return .none }
        guard let compression = self.compressions.first(where: { $0.rawValue == header }) else {
            let known = self.compressions.map(\.rawValue).joined(separator: ", ")
            throw ServiceError(
                status: 400,
                code: "InvalidCompressType",
                message: "The compression \(header) is not known here: \(known)."
            )
        }
        return compression
    }

    private func check(rawSize: Int) throws(ServiceError) {
        if rawSize > self.limits.hardRawBytes {
            throw .bodyTooLarge(
                "The body of \(rawSize) bytes must not be over \(self.limits.hardRawBytes).",
                status: 413
            )
        }
        if rawSize > self.limits.rawBytes {
            throw .bodyTooLarge("The body of \(rawSize) bytes must not be over \(self.limits.rawBytes).")
        }
    }
}
