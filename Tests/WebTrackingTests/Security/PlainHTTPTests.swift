// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// Logs go to another machine unencrypted only where somebody has written that they may.
@Suite(.timeLimit(.minutes(10))) struct PlainHTTPTests {
    private func error(_ endpoint: String, isAllowed: Bool = false) -> ConfigurationError? {
        var configuration = WebTrackingConfiguration(endpoint: endpoint, project: "project", logstore: "logstore")
        configuration.allowsPlainHTTP = isAllowed
        do {
            try configuration.validate()
            return nil
        } catch {
            return error as? ConfigurationError
        }
    }

    @Test(arguments: [
        "http://logs.example.com", "HTTP://logs.example.com", "http://cn-hangzhou-intranet.log.aliyuncs.com",
        "http://10.0.0.1:8080", "http://collector:8080", "http://[fd00::1]:8080", "http://[::2]", "http://0.0.0.0:1",
        // Names that look like the loopback.
        "http://127.0.0.1.example.com", "http://127.example.com", "http://localhost.example.com", "http://127.0.0.1x",
        "http://128.0.0.1", "http://xlocalhost",
    ])
    func anotherMachineNeedsAWrittenOptIn(endpoint: String) throws {
        let error = try #require(self.error(endpoint))
        #expect(error.setting == "allowsPlainHTTP")
        #expect(error.description.contains("allowsPlainHTTP") && error.description.contains("https://"))
        #expect(self.error(endpoint, isAllowed: true) == nil)
    }

    @Test(arguments: [
        "http://127.0.0.1:8080", "http://127.1.2.3", "http://localhost", "http://LOCALHOST:80", "http://[::1]:8080",
        "http://[0:0:0:0:0:0:0:1]", "https://logs.example.com", "cn-hangzhou", "logs.example.com",
    ])
    func thisMachineAndHTTPSNeedNone(endpoint: String) {
        #expect(self.error(endpoint) == nil)
    }

    @Test func noProducerIsMadeWithoutIt() {
        #expect(throws: ConfigurationError.self) { try Rig { $0.endpoint = "http://logs.example.com" } }
    }

    @Test func theOptInDoesNotTurnHTTPSIntoHTTP() async throws {
        let rig = try Rig { $0.allowsPlainHTTP = true }
        rig.sink().info("m")
        await rig.drain()
        #expect(rig.transport.stored.first?.request.isSecure == true)
        await rig.stop()
    }
}
