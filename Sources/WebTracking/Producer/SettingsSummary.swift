// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

extension WebTrackingProducer {
    /// The levels, the redaction and the sampling in force, in one short line.
    var settingsSummary: String {
        let overrides = self.logLevelOverrides.map { "\($0.key)=\($0.value.rawValue)" }.sorted()
        let levels =
            [self.configuration.logLevel.rawValue]
            + (overrides.isEmpty ? [] : [WebTrackingConfiguration.shortened(overrides)])
        return "level \(levels.joined(separator: ", ")); redaction \(self.redaction.summary); "
            + "sampling \(self.sampling.summary)"
    }
}
