// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LocalLogstore

/// Whose logs: those of a file, or of an endpoint that runs.
struct EndpointOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The file of the endpoint. Default: webtracking.sqlite", valueName: "file"))
    var database: String?

    @Option(
        help: ArgumentHelp(
            "Ask the endpoint that runs at this address, as http://127.0.0.1:8080, instead of reading a file.",
            valueName: "address"
        )
    )
    var url: String?

    @Option(
        help: ArgumentHelp(
            "The file with the endpoint's token, for --url. Default: the token in WEBTRACKING_TOKEN, if there is one.",
            valueName: "file"
        )
    )
    var tokenFile: String?

    func validate() throws {
        if self.url != nil, self.database != nil { throw ValidationError("Name a --database or a --url, not both.") }
        if self.url == nil, self.tokenFile != nil { throw ValidationError("--token-file is for --url.") }
        _ = try self.address
    }

    /// The address without a path; `nil` if a file is read.
    private var address: URL? {
        get throws {
            guard let url = self.url else { return nil }
            guard let components = URLComponents(string: url), ["http", "https"].contains(components.scheme),
                components.host?.isEmpty == false, ["", "/"].contains(components.path)
            else { throw ValidationError("--url has to be as http://127.0.0.1:8080.") }
            guard components.user == nil, components.password == nil, components.query == nil,
                components.fragment == nil
            else {
                throw ValidationError(
                    "--url takes no token, which others could see there: use --token-file or WEBTRACKING_TOKEN."
                )
            }
            var base = components
            base.path = ""
            return base.url
        }
    }

    /// The endpoint that runs; `nil` if a file is meant.
    func server(
        _ environment: [String: String] = ProcessInfo.processInfo.environment,
        search: String = ""
    ) throws -> ServerSource? {
        guard let address = try self.address else { return nil }
        return ServerSource(address: address, token: try self.token(environment), search: search)
    }

    /// The file, if there is one; throws a message for the user otherwise.
    var existingFile: String {
        get throws {
            let database = self.database ?? "webtracking.sqlite"
            guard FileManager.default.fileExists(atPath: database) else {
                throw ValidationError(
                    "There is no file \(database); name one with --database, or an endpoint with --url."
                )
            }
            return database
        }
    }

    private func token(_ environment: [String: String]) throws -> String? {
        guard let file = self.tokenFile else { return environment["WEBTRACKING_TOKEN"] }
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw ValidationError("Cannot read a token from \(file).")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
