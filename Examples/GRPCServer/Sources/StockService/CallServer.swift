// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import ServiceLifecycle

/// The gRPC server as a service of the group: when the group stops it takes no more calls, and finishes those there are.
struct CallServer: Service {
    var server: GRPCServer<HTTP2ServerTransport.Posix>
    var logger = Logger(label: "service.server")

    func run() async throws {
        let server = self.server
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.serve() }
                // Only the system knows the port if it is 0.
                guard let address = try await server.transport.listeningAddress.ipv4 else { return }
                // Not print, which keeps it back until there is more, if the output is a pipe.
                try FileHandle.standardOutput.write(
                    contentsOf: Data("listening on \(address.host):\(address.port)\n".utf8)
                )
                self.logger.notice("listening", metadata: ["address": "\(address.host):\(address.port)"])
                try await group.waitForAll()
            }
        } onGracefulShutdown: {
            server.beginGracefulShutdown()
        }
    }
}
