// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Thrown by a handler that has closed the connection: no answer can be sent any more.
struct ConnectionAborted: Error {}

/// Thrown by a handler whose client is gone before its request is complete.
struct ClientDisconnected: Error {
    /// What ends the connection.
    var reason: any Error = ConnectionAborted()
}

extension Channel {
    /// Ends the connection with a reset (RST), as a crashed server or a failing network does.
    func reset() async throws {
        // Lingering for no time makes the kernel drop what is unsent and reset instead of closing in order.
        try await (self as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try await self.close().get()
    }
}

extension Response {
    /// An answer that promises more than it delivers, and then closes the connection.
    static func cut(on channel: any Channel, status: Int) -> Response {
        Response(
            status: HTTPResponse.Status(code: status),
            headers: [.contentType: "application/json"],
            body: ResponseBody(contentLength: 64) { writer in
                try await writer.write(ByteBuffer(string: "{"))
                try await channel.close().get()
                throw ConnectionAborted()
            }
        )
    }
}
