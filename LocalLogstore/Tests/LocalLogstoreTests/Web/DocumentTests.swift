// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstoreTestSupport
import Testing

@testable import LocalLogstore

/// The OpenAPI document says what is served, and nothing else.
@Suite("OpenAPI document")
struct DocumentTests {
    private func paths(_ server: TestServer) async throws -> [(name: String, value: JSONValue)] {
        let document = try JSONValue(parsing: Array(try await server.api("openapi.json").body.utf8))
        guard case .object(let paths)? = document["paths"] else { return [] }
        return paths
    }

    private static let methods = ["get", "post", "put", "delete", "options"]

    @Test func hasEveryRouteAndNoOther() async throws {
        try await withServer {
            $0.mode = .compatible
        } _: { server async throws in
            let served = server.server.served.map { $0.replacing(/:(\w+)/) { "{\($0.output.1)}" } }
            var documented: [String] = []
            for (path, operations) in try await self.paths(server) {
                for method in Self.methods where operations[method] != nil {
                    documented.append("\(method.uppercased()) \(path)")
                }
            }
            #expect(documented.sorted() == served.sorted())
        }
    }

    @Test func hasEveryParameterAndNoOther() async throws {
        try await withServer { server async throws in
            var documented: [(path: String, names: Set<String>)] = []
            for (path, operations) in try await self.paths(server) where path.hasPrefix("/api/") {
                guard let get = operations["get"] else { continue }
                var names: Set<String> = []
                if case .array(let parameters)? = get["parameters"] {
                    for parameter in parameters {
                        if case .string(let reference)? = parameter["$ref"] {
                            names.insert(String(reference.split(separator: "/").last ?? ""))
                        } else if case .string(let name)? = parameter["name"] {
                            names.insert(name)
                        }
                    }
                }
                documented.append((path, names.subtracting(["id"])))
            }
            let all = documented.reduce(into: Set<String>()) { $0.formUnion($1.names) }
            #expect(all.count >= 12)
            for (path, names) in documented {
                let url = path.dropFirst("/api/".count).replacing("{id}", with: "1")
                for name in all {
                    // A question that is wrong besides: following would never end.
                    let rest = path == "/api/tail" && name != "q" ? "&q=(" : ""
                    let value = path == "/api/tail" && name == "q" ? "(" : ""
                    let answer = try await server.api("\(url)?\(name)=\(value)\(rest)")
                    #expect(
                        answer.body.contains("no parameter \(name) here") != names.contains(name),
                        "\(path) \(name)"
                    )
                }
            }
        }
    }
}
