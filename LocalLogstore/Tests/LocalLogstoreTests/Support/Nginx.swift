// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// nginx in front of an endpoint, with connections to it that it keeps.
final class Nginx {
    let port: Int
    private let process: Process
    private let folder: URL

    static var canRun: Bool { Program("nginx") != nil }

    private struct Failure: Error {}

    /// Passes on what clients say about their connections.
    init(inFrontOf endpoint: Int) async throws {
        guard let program = Program("nginx") else { throw Failure() }
        self.port = try Self.freePort()
        self.folder = FileManager.default.temporaryDirectory.appending(path: "local-logstore-nginx-\(UUID())")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        let path = self.folder.path
        let settings = """
            daemon off; master_process off; pid \(path)/pid; error_log \(path)/errors;
            events { worker_connections 256; }
            http {
                access_log off; client_body_temp_path \(path)/body; proxy_temp_path \(path)/proxy;
                fastcgi_temp_path \(path)/fastcgi; uwsgi_temp_path \(path)/uwsgi; scgi_temp_path \(path)/scgi;
                upstream endpoint { server 127.0.0.1:\(endpoint); keepalive 8; }
                server {
                    listen 127.0.0.1:\(self.port);
                    location / {
                        proxy_pass http://endpoint;
                        proxy_http_version 1.1;
                        proxy_set_header Connection $http_connection;
                        proxy_set_header Host $http_host;
                    }
                }
            }
            """
        let file = self.folder.appending(path: "settings")
        try Data(settings.utf8).write(to: file)
        self.process = try program.start(["-c", file.path, "-p", path])
        // It listens before it writes its number.
        for _ in 1...1000 {
            if FileManager.default.fileExists(atPath: path + "/pid") { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        self.stop()
        throw Failure()
    }

    /// A port that was free a moment ago.
    private static func freePort() throws -> Int {
        #if canImport(Darwin)
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        defer { Darwin.close(descriptor) }
        #else
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(descriptor) }
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 ? getsockname(descriptor, $0, &size) : -1
            }
        }
        guard result == 0 else { throw Failure() }
        return Int(in_port_t(bigEndian: address.sin_port))
    }

    func stop() {
        // Not by SIGTERM: started from a task, the program has the signals blocked that Dispatch's threads block.
        kill(self.process.processIdentifier, SIGKILL)
        self.process.waitUntilExit()
        try? FileManager.default.removeItem(at: self.folder)
    }
}
