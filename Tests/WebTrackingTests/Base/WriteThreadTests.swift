// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

/// Writing to what nobody may be reading, on real pipes and files.
@Suite(.timeLimit(.minutes(10))) struct WriteThreadTests {
    /// A pipe, both ends of which are closed in the end.
    private final class Pipe: Sendable {
        let reading: CInt
        let writing: CInt

        init() throws {
            var ends: [CInt] = [0, 0]
            try #require(pipe(&ends) == 0)
            (self.reading, self.writing) = (ends[0], ends[1])
        }

        deinit {
            close(self.reading)
            close(self.writing)
        }

        /// Writes until there is no room, and returns how many bytes that are.
        func fill() -> Int {
            let flags = fcntl(self.writing, F_GETFL)
            _ = fcntl(self.writing, F_SETFL, flags | O_NONBLOCK)
            defer { _ = fcntl(self.writing, F_SETFL, flags) }
            let block = [UInt8](repeating: UInt8(ascii: "~"), count: 512)
            var total = 0
            while true {
                let count = write(self.writing, block, block.count)
                guard count > 0 else { return total }
                total += count
            }
        }

        /// Reads until `end` has been read.
        func read(upTo end: String) -> String {
            var bytes: [UInt8] = []
            var block = [UInt8](repeating: 0, count: 4096)
            while !String(decoding: bytes, as: UTF8.self).contains(end) {
                let count = Self.systemRead(self.reading, &block)
                guard count > 0 else { break }
                bytes += block[..<count]
            }
            return String(decoding: bytes, as: UTF8.self)
        }

        private static func systemRead(_ descriptor: CInt, _ block: inout [UInt8]) -> Int {
            #if canImport(Darwin)
            Darwin.read(descriptor, &block, block.count)
            #elseif canImport(Glibc)
            Glibc.read(descriptor, &block, block.count)
            #else
            Musl.read(descriptor, &block, block.count)
            #endif
        }
    }

    private func waitUntilWritten(_ writer: LineWriter) async {
        await withCheckedContinuation { end in writer.whenWritten { end.resume() } }
    }

    @Test func linesBeyondTheBoundAreCountedAndTheNextOnesTell() {
        var queue = LineQueue()
        let taken = (0..<LineQueue.maximumTexts).map { queue.append("\($0)\n") }
        #expect(!taken.contains(false))
        let beyond = [queue.append("one\ntwo\n")]
        let first = queue.next()
        let tooLong = queue.append(String(repeating: "x", count: LineQueue.maximumBytes) + "\n")
        let later = queue.append("later\n")
        #expect(beyond == [false] && first == "0\n" && !tooLong && later)
        let left = [queue.takeDropReport()?.count, queue.takeDropReport()?.count]
        #expect(left == [3, nil])
        var last: String?
        while let text = queue.next() { last = text }
        #expect(last == "later\n")
        // All of the room is there again.
        let hasRoom = queue.append(String(repeating: "x", count: LineQueue.maximumBytes - 1) + "\n")
        #expect(hasRoom)
    }

    @Test func aFullPipeHoldsUpNobodyAndItsLinesComeOnceItIsRead() async throws {
        let pipe = try Pipe()
        let filling = pipe.fill()
        let writer = LineWriter(pipe.writing)
        for number in 0..<1000 { writer.append("line \(number)\n") }
        // Without any wait there are as many as the queue has room for, and the one that the thread may have taken.
        let text = pipe.read(upTo: "line 63\n").drop { $0 == "~" }
        #expect(filling > 0 && text.hasPrefix("webtracking: ") || text.hasPrefix("line 0\n"))
        await self.waitUntilWritten(writer)
        writer.append("after\n")
        let rest = pipe.read(upTo: "after\n")
        let all = text + rest
        let reported = all.split(separator: "\n").filter {
            $0.hasSuffix("lines were left out here, as they were not read")
        }
        let left = reported.compactMap { Int($0.split(separator: " ")[1]) }.reduce(0, +)
        let written = all.split(separator: "\n").filter { $0.hasPrefix("line ") }.count
        #expect(left + written == 1000)
        #expect(left >= 1000 - LineQueue.maximumTexts - 1)
    }

    @Test func aReaderThatIsGoneEndsNothingAndItsLinesAreCounted() async throws {
        let pipe = try Pipe()
        let other = try Pipe()
        close(pipe.reading)
        // Its number is not closed twice: it stands for the other pipe's from now on.
        defer { dup2(other.reading, pipe.reading) }
        let writer = LineWriter(pipe.writing)
        for _ in 0..<100 {
            writer.append("nobody reads this\n")
            await self.waitUntilWritten(writer)
        }
        // The pipe is one that is read from now on.
        dup2(other.writing, pipe.writing)
        writer.append("somebody reads this\n")
        #expect(
            other.read(upTo: "somebody reads this\n")
                == "webtracking: 100 lines were left out here, as they were not read\nsomebody reads this\n"
        )
    }

    #if os(Linux)
    @Test func aFileThatHasReachedItsLimitEndsNothing() async throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        var none = limit
        none.rlim_cur = 1 << 30
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &none)
        defer { setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) }
        let path = "/tmp/webtracking-limit-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        defer {
            close(file)
            unlink(path)
        }
        try #require(file >= 0)
        // Far behind the limit, with nothing in between.
        lseek(file, 1 << 31, SEEK_SET)
        let writer = LineWriter(file)
        writer.append("over the limit\n")
        await self.waitUntilWritten(writer)
        var status = stat()
        fstat(file, &status)
        #expect(status.st_size == 0)
    }
    #endif

    @Test func theThreadTakesNoSignalsAndItsMakerAsBefore() async {
        @Sendable func blocked() -> [CInt] {
            var mask = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &mask)
            return [SIGPIPE, SIGXFSZ, SIGTERM, SIGINT, SIGTTOU].filter { sigismember(&mask, $0) == 1 }
        }
        let before = blocked()
        let thread = WriteThread()
        let there = await withCheckedContinuation { answer in
            let hasThread = thread.run { answer.resume(returning: blocked()) }
            #expect(hasThread)
        }
        #expect(there == [SIGPIPE, SIGXFSZ, SIGTERM, SIGINT, SIGTTOU])
        #expect(blocked() == before)
    }

    @Test func whatTheThreadDoesNeedsNoThreadOfSwifts() async throws {
        let pipe = try Pipe()
        _ = pipe.fill()
        let writers = (0..<64).map { _ in LineWriter(pipe.writing) }
        for writer in writers { writer.append("waits\n") }
        // All of Swift's threads would be waiting, if those did that wait for the pipe.
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<64 { group.addTask { await Task.yield() } }
        }
        let reader = Task.detached { pipe.read(upTo: String(repeating: "waits\n", count: 64)) }
        for writer in writers { await self.waitUntilWritten(writer) }
        #expect(await reader.value.hasSuffix("waits\n"))
    }

    @Test func allProducersShareOneThreadForStandardError() {
        #expect(LineWriter.standardError === LineWriter.standardError)
    }

    @Test func aTransportToAPipeThatNobodyReadsWaitsWithoutAThreadOfSwifts() async throws {
        let pipe = try Pipe()
        _ = pipe.fill()
        let transport = try NDJSONTransport(path: "/dev/fd/\(pipe.writing)")
        let request = TransportRequest(
            isSecure: false,
            host: "h",
            port: nil,
            path: "/",
            headers: [("x-log-bodyrawsize", "47")],
            body: Array(#"{"__topic__":"t","__logs__":[{"message":"line"}]}"#.utf8),
            timeout: .seconds(1)
        )
        var whole = request
        whole.headers = [("x-log-bodyrawsize", String(request.body.count))]
        let asked = whole
        let sends = (0..<64).map { _ in Task { try await transport.send(asked) } }
        // One after the other is given up, and others go on.
        for send in sends.dropFirst() { send.cancel() }
        for send in sends.dropFirst() { await #expect(throws: (any Error).self) { try await send.value } }
        let reader = Task.detached { pipe.read(upTo: "line\"}\n") }
        #expect(try await sends[0].value.status == 200)
        #expect(await reader.value.hasSuffix("\"message\":\"line\"}\n"))
        await transport.shutdown()
    }
}
