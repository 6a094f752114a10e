// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore

/// What the handlers know besides the request: its connection.
struct TrackContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    /// Told by the handlers what the delivery is about.
    let draft = DeliveryDraft()

    init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.channel = source.channel
    }

    /// The client's IP address; empty if the connection is gone.
    var clientAddress: String { self.channel.remoteAddress?.ipAddress ?? "" }
}
