// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation
import Synchronization

/// Whether a store takes logs, and since when it does not.
public struct StoreTrouble: Sendable, Equatable {
    public var failure: StoreFailure
    public var since: Date
    /// How many requests it has refused since then.
    public var refused = 0
}

/// Knows the trouble of a store, and tells when it begins, changes and ends.
final class StoreHealth: Sendable {
    enum Change: Sendable, Equatable {
        case failed(StoreFailure)
        case recovered(refused: Int)
    }

    private struct State {
        var trouble: StoreTrouble?
        var observer: (@Sendable (Change) -> Void)?
    }

    private let state = Mutex(State())

    var trouble: StoreTrouble? { self.state.withLock { $0.trouble } }

    func observe(_ observer: @escaping @Sendable (Change) -> Void) { self.state.withLock { $0.observer = observer } }

    func failed(_ failure: StoreFailure) {
        let observer: (@Sendable (Change) -> Void)? = self.state.withLock { state in
            let isNew = state.trouble?.failure.reason != failure.reason
            if state.trouble == nil {
                state.trouble = StoreTrouble(failure: failure, since: Date())
            } else {
                state.trouble?.failure = failure
            }
            return isNew ? state.observer : nil
        }
        observer?(.failed(failure))
    }

    /// Notes that so many requests were not stored.
    func refused(_ requests: Int) {
        self.state.withLock { state in
            guard let refused = state.trouble?.refused else { return }
            state.trouble?.refused = refused + requests
        }
    }

    func worked() {
        let (ended, observer) = self.state.withLock { state in
            defer { state.trouble = nil }
            return (state.trouble, state.observer)
        }
        if let ended { observer?(.recovered(refused: ended.refused)) }
    }
}
