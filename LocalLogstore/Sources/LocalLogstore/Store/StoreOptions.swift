// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// What tests choose otherwise, so that they need neither a million logs nor time.
struct StoreOptions: Sendable {
    /// How many blocks share a table of words; the same for a file as long as it lives.
    var blocksPerTable = SearchIndex.blocksPerTable

    /// Begins the time that one question may take; what it returns says whether that is up.
    var patience: @Sendable () -> () -> Bool = {
        let end = DispatchTime.now() + LogStore.patience
        return { DispatchTime.now() > end }
    }
}
