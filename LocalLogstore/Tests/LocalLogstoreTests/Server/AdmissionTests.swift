// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstoreTestSupport
import ServiceLifecycle
import Testing

@testable import LocalLogstore

@Suite("Projects and logstores")
struct AdmissionTests {
    @Test(
        arguments: [
            ("demo.cn-hangzhou.log.aliyuncs.com", "demo"), ("demo.cn-hangzhou.log.aliyuncs.com:8080", "demo"),
            ("demo.localhost", "demo"), ("localhost", nil), ("localhost:80", nil), ("127.0.0.1", nil),
            ("127.0.0.1:8080", nil), ("[::1]:8080", nil), ("[::1]", nil), ("logs:80", nil), ("", nil), (".", nil),
        ] as [(String, String?)]
    )
    func readsTheProjectFromTheHost(host: String, project: String?) {
        #expect(ProjectHost.project(in: host) == project)
    }

    @Test(arguments: [
        ("demo", true, true), ("a-1", true, true), ("ab", false, true), ("a", false, false), ("", false, false),
        ("a_b", false, true), ("-ab", false, false), ("ab-", false, false), ("_ab", false, false),
        ("Abc", false, false),
        ("a.b", false, false), ("caf\u{E9}", false, false), (String(repeating: "a", count: 63), true, true),
        (String(repeating: "a", count: 64), false, false),
    ])
    func knowsValidNames(name: String, isProject: Bool, isLogstore: Bool) {
        #expect(Names.isProject(name) == isProject)
        #expect(Names.isLogstore(name) == isLogstore)
    }

    @Test func knowsOneProject() async throws {
        try await withServer {
            $0.project = "demo"
        } _: { server async throws in
            let here = try await server.post(Body.small, headers: [("Host", "demo.cn-hangzhou.log.aliyuncs.com")])
            #expect(here.status == 200)
            let elsewhere = try await server.post(Body.small, headers: [("Host", "other.cn-hangzhou.log.aliyuncs.com")])
            #expect(elsewhere.status == 404)
            #expect(elsewhere.body.contains("ProjectNotExist"))
            #expect(try await server.post(Body.small).status == 200)
            #expect(try await server.store.requests().map(\.project) == ["demo", "demo"])
        }
    }

    @Test func createsLogstoresOnFirstUse() async throws {
        try await withServer { server async throws in
            #expect(try await server.post(Body.small, to: "one").status == 200)
            #expect(try await server.post(Body.small, to: "one").status == 200)
            #expect(try await server.post(Body.small, to: "two").status == 200)
            #expect(server.events.all.filter { $0 == .logstoreCreated("one") }.count == 1)
            #expect(server.server.registry.names == ["one", "two"])
            let answer = try await server.post(Body.small, to: "Not-Valid")
            #expect(answer.status == 400)
            #expect(answer.body.contains("ParameterInvalid"))
        }
    }

    @Test func knowsOnlyTheDeclaredLogstores() async throws {
        try await withServer {
            $0.logstores = .only(["app"])
        } _: { server async throws in
            #expect(try await server.post(Body.small, to: "app").status == 200)
            let answer = try await server.post(Body.small, to: "other")
            #expect(answer.status == 404)
            #expect(answer.body.contains("LogStoreNotExist"))
        }
    }

    @Test func switchesTrackingOffAndOn() async throws {
        try await withServer { server async throws in
            server.server.registry.setTracking(false, for: "app")
            let answer = try await server.post(Body.small)
            #expect(answer.status == 401)
            #expect(answer.body.contains("Unauthorized") && answer.body.contains("web tracking api"))
            #expect(try await server.get("/logstores/app/track?APIVersion=0.6.0&k=v").status == 401)
            #expect(try await server.post(Body.small, to: "other").status == 200)
            server.server.registry.setTracking(true, for: "app")
            #expect(try await server.post(Body.small).status == 200)
        }
    }

    @Test func refusesInvalidSettings() async throws {
        try await withStore { store async throws in
            var settings = ServerSettings()
            settings.project = "No"
            #expect(throws: ServiceError.self) { try LocalLogstoreServer(settings: settings, store: store) }
            settings = ServerSettings()
            settings.logstores = .only(["ok", "No"])
            #expect(throws: ServiceError.self) { try LocalLogstoreServer(settings: settings, store: store) }
        }
    }

    @Test func saysWhenItCannotListen() async throws {
        try await withServer { first in
            try await withStore { store async throws in
                var settings = ServerSettings()
                settings.port = first.port
                let second = try LocalLogstoreServer(settings: settings, store: store)
                await #expect(throws: (any Error).self) { try await second.run() }
                await #expect(throws: (any Error).self) { try await second.port }
            }
        }
    }
}
