//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Logging

extension Logger.MetadataProvider {
    /// Adds the current task's trace to every line, whoever logs it.
    static let trace = Logger.MetadataProvider {
        guard let trace = TraceContext.current else { return [:] }
        var metadata: Logger.Metadata = ["trace.id": "\(trace.traceID)", "span.id": "\(trace.spanID)"]
        if let parent = trace.parentID { metadata["span.parent"] = "\(parent)" }
        return metadata
    }
}
