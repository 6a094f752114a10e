// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if AsyncHTTPClient
import NIOCore
#endif

#if SwiftLog
import Logging
#endif

/// Processes that may open few files.
@Suite(.timeLimit(.minutes(10))) struct OpenFilesTests {
    /// Opens all that this process may, which becomes few. Whoever closes some knows how many are left.
    private static func openAll() throws -> [CInt] {
        var limit = rlimit()
        #if canImport(Glibc)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let resource = RLIMIT_NOFILE
        #endif
        try #require(getrlimit(resource, &limit) == 0)
        limit.rlim_cur = 64
        try #require(setrlimit(resource, &limit) == 0)
        var opened: [CInt] = []
        while case let descriptor = open("/dev/null", O_RDONLY), descriptor >= 0 { opened.append(descriptor) }
        return opened
    }

    private static func close(_ count: Int, of opened: inout [CInt]) {
        for descriptor in opened.suffix(count) { closeDescriptor(descriptor) }
        opened.removeLast(count)
    }

    @Test func whatIsLeftIsCountedAsFarAsItMatters() async {
        #expect(Descriptors.left(of: nil, enough: 7) == 7)
        #expect(Descriptors.left(of: 1 << 40, enough: 7) == 7)
        await #expect(processExitsWith: .success) {
            var opened = try Self.openAll()
            // Dispatch opens and closes one now and then.
            #expect(Descriptors.left(of: FileSystem.openFilesLimit, enough: 30) < 2)
            Self.close(20, of: &opened)
            #expect(FileSystem.openFilesLimit == 64)
            #expect((15...21).contains(Descriptors.left(of: 64, enough: 30)))
            #expect(Descriptors.left(of: 64, enough: 7) == 7)
        }
    }

    @Test func tooLowALimitOnOpenFilesIsAnErrorAtSetUpAndEndsNoProcess() async {
        await #expect(processExitsWith: .success) {
            var opened = try Self.openAll()
            // Dispatch opens and closes one now and then, so fewer than the five that would not do either.
            Self.close(3, of: &opened)
            let configuration = WebTrackingConfiguration(
                endpoint: "http://127.0.0.1:1",
                project: "project",
                logstore: "logstore"
            )
            let error = #expect(throws: ConfigurationError.self) {
                try WebTrackingProducer(configuration: configuration, transport: InMemoryTransport())
            }
            let words = "\"64\": a producer takes 6 of the files that a process may have open, and "
            #expect(error?.description.contains(words) == true)
            // What the program opens itself comes on top.
            Self.close(8, of: &opened)
            let producer = try WebTrackingProducer(configuration: configuration, transport: InMemoryTransport())
            producer.makeLogHandler(label: "label").info("1")
            #expect(await producer.shutdown(timeout: .seconds(60)).delivered == 1)
        }
    }

    #if AsyncHTTPClient
    @Test func loopsAreSharedWhereThereIsRoomForThemAndOneOtherwise() {
        let room = 8 * EventLoops.descriptorsPerLoop + EventLoops.spareDescriptors
        #expect(EventLoops.choice(shared: 8, left: room) == .shared)
        #expect(EventLoops.choice(shared: 8, left: room - 1) == .one)
        #expect(EventLoops.choice(shared: 8, left: EventLoops.leastDescriptors) == .one)
        #expect(EventLoops.choice(shared: 8, left: EventLoops.leastDescriptors - 1) == .none)
        // Where SwiftNIO would end the process that asks for the shared ones.
        #expect(EventLoops.choice(shared: nil, left: 1000) == .one)
    }

    @Test func withFewOpenFilesARequestGoesOverOneLoopAndWithFewerItFails() async {
        await #expect(processExitsWith: .success) {
            let server = try LoopbackServer()
            // Dispatch has its own then.
            try await Task.sleep(for: .milliseconds(1))
            var opened = try Self.openAll()
            Self.close(4, of: &opened)
            let transport = AsyncHTTPClientTransport()
            let error = await #expect(throws: TransportError.self) {
                try await transport.send(server.request())
            }
            #expect(
                "\(String(describing: error))".contains(
                    "a connection takes 6 of the files that this process may have open (ulimit -n 64), and "
                )
            )
            #expect(throws: ConfigurationError.self) {
                try WebTrackingProducer(
                    configuration: WebTrackingConfiguration(
                        endpoint: "http://127.0.0.1:1",
                        project: "project",
                        logstore: "logstore"
                    )
                )
            }
            // Too few for shared loops. The server takes one, too.
            Self.close(6, of: &opened)
            #expect(try await transport.send(server.request()).status == 200)
            await transport.shutdown()
        }
    }

    @Test func aProgramWithoutSharedLoopsSendsOverItsOwn() async {
        await #expect(processExitsWith: .success) {
            NIOSingletons.singletonsEnabledSuggestion = false
            let server = try LoopbackServer()
            let transport = AsyncHTTPClientTransport()
            #expect(try await transport.send(server.request()).status == 200)
            await transport.shutdown()
        }
    }
    #endif
}

private func closeDescriptor(_ descriptor: CInt) { close(descriptor) }
