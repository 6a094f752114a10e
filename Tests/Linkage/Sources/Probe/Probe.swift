// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

@main
enum Probe {
    static func main() async throws {
        let configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "probe", logstore: "probe")
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: NDJSONTransport(),
            diagnostics: .none
        )
        producer.makeLogHandler(label: "probe").info("linked")
        await producer.shutdown(timeout: .seconds(10))
    }
}
