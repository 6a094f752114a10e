// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import WebTracking
import WebTrackingURLSession

/// Where the logs of a small program go, by its environment.
///
///     WEBTRACKING_ENDPOINT   cn-hangzhou, http://127.0.0.1:8080, or file:///tmp/logs.ndjson
///     WEBTRACKING_PROJECT    the project; not needed for a file
///     WEBTRACKING_LOGSTORE   the logstore; not needed for a file
///
/// The scheme chooses the transport: a `file:` endpoint stays on the machine, and all others go through URLSession.
public struct LogDestination: Sendable {
    /// The service, the project and the logstore, and all else at its defaults.
    public var configuration: WebTrackingConfiguration
    /// What carries the logs there.
    public var transport: any WebTrackingTransport

    /// Reads the environment; throws ``DestinationError`` for a variable that is missing.
    public init(environment: [String: String]) throws {
        func required(_ variable: String) throws -> String {
            guard let value = environment[variable], !value.isEmpty else { throw DestinationError(variable: variable) }
            return value
        }
        let endpoint = try required("WEBTRACKING_ENDPOINT")
        if endpoint.hasPrefix("file://") {
            // A file has neither project nor logstore, and is told none.
            self.configuration = WebTrackingConfiguration(
                endpoint: "http://localhost",
                project: "file",
                logstore: "file"
            )
            self.transport = try NDJSONTransport(path: String(endpoint.dropFirst("file://".count)))
        } else {
            self.configuration = WebTrackingConfiguration(
                endpoint: endpoint,
                project: try required("WEBTRACKING_PROJECT"),
                logstore: try required("WEBTRACKING_LOGSTORE")
            )
            self.transport = URLSessionTransport()
        }
    }

    /// A producer that sends there. Throws `ConfigurationError` for what cannot work.
    public func makeProducer() throws -> WebTrackingProducer {
        try WebTrackingProducer(configuration: self.configuration, transport: self.transport)
    }
}

/// A variable of the environment that is not set.
public struct DestinationError: Error, CustomStringConvertible {
    /// The variable.
    public var variable: String

    /// What is missing, for the one who starts the program.
    public var description: String { "\(self.variable) is not set" }
}
