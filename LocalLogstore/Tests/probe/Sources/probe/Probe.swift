// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Logs through the library's public interface as its arguments say, and tells what it saw as lines of JSON.
///
/// Settings are keys of the configuration, read from the environment (`WEBTRACKING_DELIVERY_REQUEST_TIMEOUT_SECONDS`), so
/// that a scenario can name one that an older state does not know. Arguments that begin with hyphens say how the producer
/// is made, the others are commands, carried out one after the other on the main thread, which is none of Swift's pool.
@main
enum Probe {
    static func main() {
        var arguments = CommandLine.arguments.dropFirst()
        let options = arguments.prefix { $0.hasPrefix("--") }
        arguments = arguments.dropFirst(options.count)
        let session: Session
        let start = ContinuousClock.now
        do {
            session = try Session(options: Array(options))
        } catch {
            Output.event("refused", [("reason", "\(error)")])
            exit(3)
        }
        Output.event("ready", [("pid", Int(getpid())), ("took", ContinuousClock.now - start)])
        for argument in arguments {
            guard let command = Command(argument) else {
                Output.event("refused", [("reason", "unknown command \(argument)")])
                exit(2)
            }
            session.run(command)
        }
        Output.event("end", [])
    }
}
