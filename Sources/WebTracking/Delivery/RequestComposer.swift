// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Makes the request for as many of a batch's records as may be sent at a time.
struct RequestComposer {
    /// What bounds a request.
    struct Limits: Equatable {
        /// The bytes of its body as it goes over the wire.
        var wire: Int
        /// The bytes of its body before compression.
        var raw = Int.max
    }

    /// A request and the records in it.
    struct Composed {
        var made: RequestFactory.Made
        var records: Range<Int>

        var wireBytes: Int { self.made.request.body.count }
    }

    let requests: RequestFactory
    let budget: MemoryBudget
    /// What a byte of a batch came to in the last request, on the wire and before compression.
    private var wireRatio = 0.0
    private var rawRatio = 0.0

    init(requests: RequestFactory, budget: MemoryBudget) {
        self.requests = requests
        self.budget = budget
    }

    /// The request for `records`, or for the first of them if all would be too much; one record is sent in any case.
    ///
    /// What a request comes to is known when it is made: one that is too large is made anew with fewer records, not sent.
    mutating func compose(_ batch: Batch, _ records: Range<Int>, within limits: Limits) -> Composed {
        var records = self.first(of: records, in: batch, bytes: self.estimate(within: limits))
        while true {
            let size = batch.bodyBytes(of: records)
            let made = self.make(batch, records, size: size)
            let wire = made.request.body.count
            self.wireRatio = Double(wire) / Double(size)
            self.rawRatio = Double(made.rawBytes) / Double(size)
            guard wire > limits.wire || made.rawBytes > limits.raw, records.count > 1 else {
                return Composed(made: made, records: records)
            }
            let most = records.count - max(records.count / 16, 1)
            records = self.first(
                of: records.lowerBound..<records.lowerBound + most,
                in: batch,
                bytes: self.estimate(within: limits)
            )
        }
    }

    /// Everything that is held meanwhile counts.
    private func make(_ batch: Batch, _ records: Range<Int>, size: Int) -> RequestFactory.Made {
        let copy = records == batch.all ? 0 : size
        let peak = copy + self.requests.peakBytes(for: size)
        self.budget.charge(peak)
        defer { self.budget.release(peak) }
        return batch.withBody(of: records) { self.requests.request(for: $0) }
    }

    /// How many bytes of a batch keep to the limits, by what the last request came to.
    private func estimate(within limits: Limits) -> Int {
        func bytes(_ limit: Int, _ ratio: Double) -> Double { ratio > 0 ? Double(limit) / ratio : .infinity }
        let most = min(bytes(limits.wire, self.wireRatio), bytes(limits.raw, self.rawRatio))
        return most < 1e15 ? Int(most) : .max
    }

    private func first(of records: Range<Int>, in batch: Batch, bytes: Int) -> Range<Int> {
        records.lowerBound..<records.lowerBound + batch.count(of: records, within: bytes)
    }
}
