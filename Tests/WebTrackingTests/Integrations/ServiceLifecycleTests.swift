// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if ServiceLifecycle

import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing
import WebTracking
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

/// The producer as a service.
@Suite struct ServiceLifecycleTests {
    @Test func theGracefulShutdownDeliversWhatIsLeft() async throws {
        let rig = try Rig()
        rig.sink().info("m")
        let producer = rig.producer
        try await testGracefulShutdown { trigger in
            async let stopped: Void = producer.run()
            #expect(!rig.transport.isShutDown)
            trigger.triggerGracefulShutdown()
            try await stopped
        }
        #expect(rig.transport.logs.map { $0["message"] } == ["m"])
        #expect(rig.transport.isShutDown)
        #expect(rig.producer.statistics.pending == 0)
        rig.checkConservation()
    }

    @Test func recordsAreSentBeforeTheServiceRuns() async throws {
        let rig = try Rig()
        rig.sink().info("early")
        #expect(await rig.drain().map { $0["message"] } == ["early"])
        await rig.stop()
    }

    @Test func theCancellationOfTheServiceDeliversWhatIsLeft() async throws {
        let rig = try Rig()
        rig.sink().info("m")
        let producer = rig.producer
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await producer.run()
        }
        try await task.value
        #expect(rig.transport.logs.map { $0["message"] } == ["m"])
        #expect(rig.transport.isShutDown)
        rig.checkConservation()
    }

    @Test func withADeadEndpointTheServiceEndsAtItsShutdownTimeout() async throws {
        let rig = try Rig(transport: InMemoryTransport(otherwise: .never)) {
            $0.delivery.shutdownTimeout = .seconds(7)
        }
        let producer = rig.producer
        rig.sink().error("m")
        await rig.transport.waitForAttempts(1)
        let start = rig.clock.now()
        try await testGracefulShutdown { trigger in
            trigger.triggerGracefulShutdown()
            async let stopped: Void = producer.run()
            await rig.run { rig.transport.isShutDown }
            try await stopped
        }
        #expect(rig.clock.now() - start == .seconds(7))
        #expect(rig.producer.statistics.dropped == [.shutdownDeadline: 1])
        rig.checkConservation()
    }

    @Test func recordsAfterTheServiceHasEndedAreCounted() async throws {
        let rig = try Rig()
        let producer = rig.producer
        try await testGracefulShutdown { trigger in
            trigger.triggerGracefulShutdown()
            try await producer.run()
        }
        rig.sink().info("late")
        #expect(rig.producer.statistics.dropped == [.afterShutdown: 1])
        #expect(rig.transport.attempts.isEmpty)
        rig.checkConservation()
    }

    #if SwiftLog

    // MARK: In a group

    @Test func theFirstServiceOfAGroupStopsLastAndTheOthersLastLinesArrive() async throws {
        let rig = try Rig()
        let started = Recorder<String>()
        func service(_ name: String) -> ClosureService {
            let sink = rig.sink(name)
            let transport = rig.transport
            return ClosureService {
                sink.info("working")
                started.add(name)
                try await gracefulShutdown()
                #expect(!transport.isShutDown)
                sink.info("stopping")
            }
        }
        let group = self.group([rig.producer, service("one"), service("two")])
        async let ended: Void = group.run()
        await started.wait(for: 2)
        await group.triggerGracefulShutdown()
        try await ended
        #expect(rig.transport.isShutDown)
        let logs = rig.transport.logs
        #expect(Set(logs.prefix(2).map { $0["label"] }) == ["one", "two"])
        #expect(logs.prefix(2).map { $0["message"] } == ["working", "working"])
        // The last service stops first.
        #expect(logs.suffix(2).map { $0["label"] } == ["two", "one"])
        #expect(logs.suffix(2).map { $0["message"] } == ["stopping", "stopping"])
        #expect(logs.count == 4)
        #expect(rig.producer.statistics.pending == 0)
        rig.checkConservation()
    }

    @Test func theLinesOfAServiceThatStopsAfterTheProducerAreCounted() async throws {
        let rig = try Rig()
        let started = Recorder<String>()
        let sink = rig.sink()
        let service = ClosureService {
            sink.info("working")
            started.add("service")
            try await gracefulShutdown()
            sink.info("stopping")
        }
        // The wrong way round.
        let group = self.group([service, rig.producer])
        async let ended: Void = group.run()
        await started.wait(for: 1)
        await group.triggerGracefulShutdown()
        try await ended
        #expect(rig.transport.logs.map { $0["message"] } == ["working"])
        #expect(rig.producer.statistics.dropped == [.afterShutdown: 1])
        rig.checkConservation()
    }

    @Test func theCancellationOfAGroupDeliversWhatWasLogged() async throws {
        let rig = try Rig()
        let started = Recorder<String>()
        let sink = rig.sink()
        let service = ClosureService {
            sink.info("working")
            started.add("service")
            try await gracefulShutdown()
            Issue.record("not reached: the service is cancelled")
        }
        let group = self.group([rig.producer, service])
        let task = Task { try await group.run() }
        await started.wait(for: 1)
        task.cancel()
        _ = await task.result
        #expect(rig.transport.logs.map { $0["message"] } == ["working"])
        #expect(rig.transport.isShutDown)
        #expect(rig.producer.statistics.pending == 0)
        rig.checkConservation()
    }

    @Test(arguments: [true, false])
    func theLinesOfAServiceThatFailsArrive(gracefully: Bool) async throws {
        struct Failure: Error {}
        let rig = try Rig()
        let sink = rig.sink()
        let service = ClosureService {
            sink.info("failing", error: Failure())
            throw Failure()
        }
        let group = self.group(
            [rig.producer, service],
            failureTerminationBehavior: gracefully ? .gracefullyShutdownGroup : .cancelGroup
        )
        await #expect(throws: Failure.self) { try await group.run() }
        #expect(rig.transport.logs.map { $0["message"] } == ["failing"])
        #expect(rig.transport.isShutDown)
        #expect(rig.producer.statistics.pending == 0)
        rig.checkConservation()
    }

    private func group(
        _ services: [any Service],
        failureTerminationBehavior: ServiceGroupConfiguration.ServiceConfiguration.TerminationBehavior = .cancelGroup
    ) -> ServiceGroup {
        let services = services.map {
            ServiceGroupConfiguration.ServiceConfiguration(
                service: $0,
                failureTerminationBehavior: failureTerminationBehavior
            )
        }
        let logger = Logger(label: "group") { _ in SwiftLogNoOpLogHandler() }
        return ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: logger))
    }

    #endif
}

#endif
