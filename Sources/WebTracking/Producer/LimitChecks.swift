// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What the limits of a process say about a configuration. Decided without a machine.
enum LimitChecks {
    /// The files that all requests at once take, with what the producer itself does.
    static func enoughDescriptors(_ configuration: WebTrackingConfiguration) -> Int {
        configuration.neededDescriptors + Descriptors.forTransport + configuration.delivery.maximumConcurrentRequests
    }

    /// - Parameters:
    ///   - limit: How many files the process may have open; `nil` for any number.
    ///   - left: How many of them are left, or ``enoughDescriptors(_:)`` if there are more.
    static func openFiles(limit: Int?, left: Int, for configuration: WebTrackingConfiguration) -> SetupCheck {
        guard let limit else { return SetupCheck(.openFiles, .ok, "no limit") }
        let needed = configuration.neededDescriptors + Descriptors.forTransport
        let enough = self.enoughDescriptors(configuration)
        guard left < enough else {
            return SetupCheck(.openFiles, .ok, "\(limit) may be open, and enough of them are left")
        }
        let isTooFew = left < needed
        return SetupCheck(
            .openFiles,
            isTooFew ? .failed : .warning,
            "\(limit) may be open, \(left) are left, and "
                + (isTooFew ? "a producer takes \(needed)" : "all requests at once take \(enough)"),
            suggestion: "ulimit -n 1024 (LimitNOFILE=1024), or close files"
        )
    }

    /// - Parameter surroundings: With the limit on memory; `nil` if it could not be read in time.
    static func memory(_ surroundings: Surroundings?, for configuration: WebTrackingConfiguration) -> SetupCheck {
        guard let surroundings else { return SetupCheck(.memory, .skipped, "not known: a disk does not answer") }
        guard let limit = surroundings.memoryLimit else { return SetupCheck(.memory, .ok, "no limit") }
        return surroundings.check(.memory, .warning, [.memoryLimit], for: configuration)
            ?? SetupCheck(.memory, .ok, "the control group allows \(limit >> 20) MiB, which is enough for logs")
    }
}

extension Surroundings {
    /// The first problem with one of these codes, as a check.
    func check(
        _ subject: SetupCheck.Subject,
        _ state: SetupCheck.State,
        _ codes: Set<EnvironmentProblem>,
        for configuration: WebTrackingConfiguration
    ) -> SetupCheck? {
        for problem in self.problems(for: configuration) {
            guard case .environment(let code, let reason, let suggestion) = problem, codes.contains(code) else {
                continue
            }
            return SetupCheck(subject, state, reason, suggestion: suggestion)
        }
        return nil
    }
}
