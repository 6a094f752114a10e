// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import EndpointDecoding

/// The local endpoint's decoder: whatever a client sends, it traps on nothing, takes nothing beyond its limits, and what it
/// takes is what Foundation reads in the body.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEndpoint(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var input = FuzzInput(UnsafeBufferPointer(start: start, count: count))
    let shape = input.byte()
    if shape & 7 == 0 { Requests.checkQuery(&input) } else { Requests.checkBody(shape, &input) }
    return 0
}

private enum Requests {
    /// Small ones, so that they are met.
    static let limits: TrackLimits = {
        var limits = TrackLimits()
        limits.rawBytes = 16 << 10
        limits.hardRawBytes = 32 << 10
        limits.logs = 16
        limits.valueBytes = 1024
        limits.targetBytes = 1024
        return limits
    }()

    // MARK: POST

    static func checkBody(_ shape: UInt8, _ input: inout FuzzInput) {
        let mode: DecodingMode = shape & 8 != 0 ? .compatible : .strict
        let compression = Compression.allCases[Int(shape >> 4 & 3)]
        let isCompressed = shape & 64 != 0
        let version = input.choice(["0.6.0", nil, "0.6.1", input.text()])
        let statedSize = input.choice([nil, "", input.text(), String(input.short())])
        let statesSize = input.byte() < 32
        let content = input.rest()
        let body = isCompressed ? Self.compress(content, compression) : content
        // Most of the time what a client would say, so that more than the headers is looked at.
        let size = statesSize ? statedSize : String(isCompressed || compression == .none ? content.count : 4096)
        let request = PutWebtrackingDecoder.Input(
            version: version,
            rawSize: size,
            compressType: compression == .none ? nil : compression.rawValue,
            body: body
        )
        var decoder = PutWebtrackingDecoder(limits: self.limits, mode: mode)
        // As PutLogs takes it.
        decoder.compressions.append(.zstd)
        do throws(ServiceError) {
            let output = try decoder.decode(request)
            require(output.rawBytes <= self.limits.rawBytes, "a body of \(output.rawBytes) bytes")
            require(output.wireBytes == body.count, "the size on the wire")
            self.check(output.group)
            self.checkAgain(output.group)
            if isCompressed || compression == .none { self.compareWithFoundation(content, output.group) }
        } catch {
            self.check(error)
        }
    }

    private static func compress(_ bytes: [UInt8], _ compression: EndpointDecoding.Compression) -> [UInt8] {
        switch compression {
        case .none: return bytes
        case .lz4:
            // A block of literals alone.
            let count = bytes.count
            guard count >= 15 else { return [UInt8(count << 4)] + bytes }
            let rest = count - 15
            return [0xF0] + [UInt8](repeating: 255, count: rest / 255) + [UInt8(rest % 255)] + bytes
        case .deflate:
            // A stream of stored blocks.
            var stream: [UInt8] = [0x78, 0x01]
            let size = UInt16(truncatingIfNeeded: bytes.count)
            stream += [1, UInt8(size & 0xFF), UInt8(size >> 8), UInt8(~size & 0xFF), UInt8(~size >> 8)] + bytes
            var (low, high): (UInt32, UInt32) = (1, 0)
            for byte in bytes {
                low = (low + UInt32(byte)) % 65_521
                high = (high + low) % 65_521
            }
            let sum = high << 16 | low
            return stream + [24, 16, 8, 0].map { UInt8(sum >> $0 & 0xFF) }
        case .zstd:
            // A frame that states its size, of one raw block.
            let count = UInt32(bytes.count)
            let block = count << 3 | 1
            return [0x28, 0xB5, 0x2F, 0xFD, 0xA0] + [0, 8, 16, 24].map { UInt8(count >> $0 & 0xFF) }
                + [0, 8, 16].map { UInt8(block >> $0 & 0xFF) } + bytes
        }
    }

    /// What was taken keeps the limits.
    private static func check(_ group: LogGroup) {
        require((1...self.limits.logs).contains(group.logs.count), "\(group.logs.count) logs")
        for label in [group.topic, group.source] {
            require(label.utf8.count <= self.limits.topicBytes, "a label of \(label.utf8.count) bytes")
        }
        for log in group.logs {
            require(!log.fields.isEmpty, "a log without fields")
            self.check(log.fields, isLog: true)
            self.checkFlat(log)
        }
        self.check(group.tags, isLog: false)
    }

    private static func check(_ fields: [Field], isLog: Bool) {
        var seen: Set<[UInt8]> = []
        for field in fields {
            let name = Array(field.name.utf8)
            require(seen.insert(name).inserted, "the key \(field.name.debugDescription) twice")
            require((1...self.limits.keyBytes).contains(name.count), "a key of \(name.count) bytes")
            require(field.value.utf8.count <= self.limits.valueBytes, "a value of \(field.value.utf8.count) bytes")
            if isLog { require(!Names.isReservedField(name[...]), "the reserved key \(field.name)") }
        }
    }

    /// The store walks the text without a parser.
    private static func checkFlat(_ log: LogFields) {
        var walked: [Field] = []
        Array(log.json.utf8).withUnsafeBufferPointer { text in
            var object = FlatObject(text)
            while let member = object.next() { walked.append(Field(member.name, member.value)) }
        }
        require(walked == log.fields, "the walk over \(log.json.debugDescription)")
    }

    /// What was taken, written anew, is taken again as the same.
    private static func checkAgain(_ group: LogGroup) {
        var body = Array("{\"__topic__\":".utf8)
        JSONWriter.append(string: group.topic, to: &body)
        body += Array(",\"__source__\":".utf8)
        JSONWriter.append(string: group.source, to: &body)
        body += Array(",\"__tags__\":\(JSONWriter.object(group.tags)),\"__logs__\":[".utf8)
        body += Array(group.logs.map { JSONWriter.object($0.fields) }.joined(separator: ",").utf8) + Array("]}".utf8)
        var parser = LogGroupParser(body, limits: self.limits)
        let again = try? parser.parse()
        require(again == group, "another group after writing and reading")
    }

    private static func compareWithFoundation(_ body: [UInt8], _ group: LogGroup) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any],
            let logs = object["__logs__"] as? [[String: Any]]
        else { return require(!self.isComparable(body), "Foundation does not take an accepted body") }
        require(logs.count == group.logs.count, "the number of logs, to Foundation")
        for (log, own) in zip(logs, group.logs) {
            for field in own.fields {
                // Two spellings of one letter are two keys here, and one to Foundation.
                let isAlone = own.fields.count { $0.name == field.name } == 1
                let other = log[field.name] as? String
                require(
                    !isAlone || other?.utf8.elementsEqual(field.value.utf8) == true,
                    "Foundation reads another value"
                )
            }
        }
    }

    /// Whether Foundation can be expected to take what this decoder takes: it refuses numbers that no `Double` holds.
    private static func isComparable(_ body: [UInt8]) -> Bool {
        !body.contains(UInt8(ascii: "e")) && !body.contains(UInt8(ascii: "E")) && body.count < 300
    }

    // MARK: GET

    static func checkQuery(_ input: inout FuzzInput) {
        let prefix = input.choice(["/logstores/app/track.gif?APIVersion=0.6.0&", "/logstores/app/track?", ""])
        let target = prefix + String(decoding: input.rest(), as: UTF8.self)
        let decoder = TrackQueryDecoder(limits: self.limits)
        do throws(ServiceError) {
            let additional = [Field("__client_ip__", "10.0.0.1"), Field("k", "v")]
            let group = try decoder.decode(target: target, clientAddress: "10.0.0.1", additional: additional)
            require(target.utf8.count < self.limits.targetBytes, "a target of \(target.utf8.count) bytes")
            require(group.logs.count == 1, "\(group.logs.count) logs of one query")
            require(group.topic.utf8.count <= 128 && group.source.utf8.count <= 128, "a long label")
            for log in group.logs {
                require(log.fields.contains { $0.name == "k" }, "a field that the server adds is missing")
                self.checkFlat(log)
                self.check(log.fields.filter { $0.name != "__client_ip__" }, isLog: true)
            }
        } catch {
            self.check(error)
        }
    }

    /// An answer that can be sent.
    private static func check(_ error: ServiceError) {
        require((400..<600).contains(error.status) && !error.code.isEmpty, "an error of status \(error.status)")
        require((try? JSONSerialization.jsonObject(with: Data(error.json.utf8))) != nil, "an error that is no JSON")
    }
}
