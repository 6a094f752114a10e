// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The parts of the pipeline that can be changed while records are logged.
final class RecordPolicy: Sendable {
    let redaction: Redaction
    let redactor: Redactor
    let sampling: Sampling
    /// `nil` if nothing is sampled or suppressed.
    let sampler: Sampler?

    init(redaction: Redaction, redactor: Redactor, sampling: Sampling, sampler: Sampler?) {
        self.redaction = redaction
        self.redactor = redactor
        self.sampling = sampling
        self.sampler = sampler
    }
}

/// The policy in force. Reading it takes one atomic load and counts no reference.
final class LivePolicy: Sendable {
    /// Invariant: points to an element of `policies`. They are kept as long as this object, so a thread can use the
    /// pointer at any time after it has read it. There is one for each change, so they are few.
    private let pointer: Atomic<UInt>
    private let policies: Lock<[RecordPolicy]>
    let redactions = RedactionCount()
    let leftOut = LeftOutCount()

    init(redaction: Redaction, sampling: Sampling) {
        let policy = RecordPolicy(
            redaction: redaction,
            redactor: Redactor(redaction, count: self.redactions),
            sampling: sampling,
            sampler: Self.sampler(sampling, count: self.leftOut)
        )
        self.pointer = Atomic(Self.bits(policy))
        self.policies = Lock([policy])
    }

    /// Calls `body` with the policy in force.
    @inline(__always)
    func with<Result>(_ body: (RecordPolicy) -> Result) -> Result {
        // Never nil, as only addresses of objects are stored. But nothing that logs may trap, so there is no `!`.
        guard let pointer = UnsafeRawPointer(bitPattern: self.pointer.load(ordering: .acquiring)) else {
            return body(self.policies.withLock { $0[$0.count - 1] })
        }
        return Unmanaged<RecordPolicy>.fromOpaque(pointer)._withUnsafeGuaranteedRef(body)
    }

    private static func sampler(_ sampling: Sampling, count: LeftOutCount) -> Sampler? {
        sampling == .off ? nil : Sampler(sampling, count: count)
    }

    private static func bits(_ policy: RecordPolicy) -> UInt {
        UInt(bitPattern: Unmanaged.passUnretained(policy).toOpaque())
    }

    var current: RecordPolicy { self.with { $0 } }

    /// Puts another redaction or another sampling in force, for records that are logged from now on. Returns the old
    /// policy, or `nil` if nothing has changed.
    func change(redaction: Redaction? = nil, sampling: Sampling? = nil) -> RecordPolicy? {
        self.policies.withLock { policies in
            let old = self.current
            let redaction = redaction ?? old.redaction
            let sampling = sampling ?? old.sampling
            guard redaction != old.redaction || sampling != old.sampling else { return nil }
            let new = RecordPolicy(
                redaction: redaction,
                // With another redactor, what handlers and threads have made ready would be of no use.
                redactor: redaction == old.redaction ? old.redactor : Redactor(redaction, count: self.redactions),
                sampling: sampling,
                // The same sampling goes on counting where it is: another one would let each statement's first records pass.
                sampler: sampling == old.sampling ? old.sampler : Self.sampler(sampling, count: self.leftOut)
            )
            // Kept before it can be found. Releasing: a reader that loads the pointer sees the whole policy.
            policies.append(new)
            self.pointer.store(Self.bits(new), ordering: .releasing)
            return old
        }
    }
}
