// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Subprocess
import SystemPackage

/// One of the package's programs, as it was built: what is tested is what is run.
struct Program {
    var name: String

    /// Where it is: beside the tests.
    var executable: Executable {
        get throws {
            // On Linux the tests are an executable, elsewhere the runner is told where they are.
            guard let tests = CommandLine.arguments.lazy.compactMap(Self.folder(ofTests:)).first else {
                throw NotFound(arguments: CommandLine.arguments)
            }
            return .path(tests.appending(self.name))
        }
    }

    private static func folder(ofTests argument: String) -> FilePath? {
        var path = FilePath(argument)
        while !path.components.isEmpty {
            guard let last = path.components.last else { return nil }
            path.removeLastComponent()
            if last.extension == "xctest" { return path }
        }
        return nil
    }

    struct NotFound: Error {
        var arguments: [String]
    }
}
