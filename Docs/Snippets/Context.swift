// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

// What the examples of the guides take for granted. Nothing here is run: Scripts/docs type-checks the examples beside it.

import Configuration
import Logging
import ServiceLifecycle
import WebTracking
import WebTrackingTestKit

var configuration: WebTrackingConfiguration {
    get { fatalError() }
    set { _ = newValue }
}
var producer: WebTrackingProducer { fatalError() }
var logger: Logger {
    get { fatalError() }
    set { _ = newValue }
}
var transport: InMemoryTransport { fatalError() }
var config: ConfigReader { fatalError() }

/// A service of a program's own.
struct SomeService: Service {
    func run() async throws {}
}

var server: SomeService { SomeService() }
var database: SomeService { SomeService() }

var token: String { "" }
var secret: String { "" }
var email: String { "" }
var mail: String { "" }
var street: String { "" }

/// What a program's tests are about.
struct Shop {
    init(logger: Logger) {}
    func order(_ item: String) async {}
}

/// Calls the person on duty.
func page(_ topic: String, _ reason: DropReason, _ count: Int) {}

/// The context of a request, in a program that has no tracer.
enum Trace {
    @TaskLocal static var current = "none"
}

/// Written out in Docs/Transports.md.
typealias MyTransport = AsyncHTTPClientTransport
