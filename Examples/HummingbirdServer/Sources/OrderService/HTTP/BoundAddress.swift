// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Tells where the server listens, which only the system knows if the port is 0.
struct BoundAddress {
    var portFile: String?

    /// Prints the address, and writes the port to the file.
    func announce(_ channel: any Channel) {
        guard let address = channel.localAddress, let host = address.ipAddress, let port = address.port else { return }
        Terminal.print("listening on http://\(host.contains(":") ? "[\(host)]" : host):\(port)")
        guard let portFile else { return }
        do {
            // Renamed into place, so that nobody reads half a number.
            try Data("\(port)\n".utf8).write(to: URL(filePath: portFile), options: .atomic)
        } catch {
            let logger = Logger(label: "service.start")
            logger.error("cannot write the port", error: error, metadata: ["path": "\(portFile)"])
        }
    }
}
