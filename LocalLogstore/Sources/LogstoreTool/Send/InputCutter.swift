// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The beginning of an input, held until it says how the objects stand, with bounded memory.
struct InputBeginning {
    /// The most to hold, in bytes; an input that has said nothing by then is taken for lines.
    let limit: Int

    /// What the layout is to be fed with. Blank lines in front of everything are left out.
    private(set) var held: [UInt8] = []
    /// What of it says anything: no more than a byte-order mark and a bracket.
    private var signs: [UInt8] = []

    init(limit: Int) {
        self.limit = limit
    }

    /// The layout once `block` has come, too; `nil` as long as the input says nothing.
    mutating func layout(with block: [UInt8]) -> ObjectLayout? {
        let layout = ObjectLayout.of((self.signs + block)[...])
        self.held += block
        if layout != nil { return layout }
        self.signs += block.filter { !$0.isSpace }
        let isBlank = self.signs.last != UInt8(ascii: "[") && self.signs.last != UInt8(ascii: "{")
        if isBlank, let end = block.lastIndex(of: 0x0A) { self.held = Array(block[(end + 1)...]) }
        return self.held.count > self.limit ? .lines : nil
    }
}

/// Cuts one input after the other into the lines, or the objects, that records are made of, with bounded memory.
struct InputCutter {
    private let limit: Int
    /// `nil` if the beginning of each input tells.
    private let fixedLayout: ObjectLayout?

    private var layout: ObjectLayout?
    private var beginning: InputBeginning
    private var lines: LineSplitter
    private var objects: ObjectSplitter

    /// - Parameter limit: The longest line or object, in bytes.
    init(limit: Int, layout: ObjectLayout? = nil) {
        self.limit = limit
        self.fixedLayout = layout
        self.layout = layout
        self.beginning = InputBeginning(limit: limit)
        self.lines = LineSplitter(limit: limit)
        self.objects = ObjectSplitter(limit: limit)
    }

    /// How many lines or objects came in pieces.
    var brokenLines: Int { self.lines.brokenLines + self.objects.brokenObjects }

    /// Calls `body` with the lines that `block` completes.
    mutating func feed(
        _ block: [UInt8],
        _ body: nonisolated(nonsending) (ArraySlice<UInt8>) async throws -> Void
    ) async rethrows {
        var block = block
        if self.layout == nil {
            self.layout = self.beginning.layout(with: block)
            guard self.layout != nil else { return }
            block = self.beginning.held
            self.beginning = InputBeginning(limit: self.limit)
        }
        if self.layout == .spread {
            try await self.objects.feed(block[...], body)
        } else {
            try await self.lines.feed(block[...], body)
        }
    }

    /// Calls `body` with what is not complete, if there is anything. What is fed next is another input.
    mutating func finish(
        _ body: nonisolated(nonsending) (ArraySlice<UInt8>) async throws -> Void
    ) async rethrows {
        // An input that says nothing to its end is lines.
        try await self.lines.feed(self.beginning.held[...], body)
        self.beginning = InputBeginning(limit: self.limit)
        try await self.lines.finish(body)
        try await self.objects.finish(body)
        self.layout = self.fixedLayout
    }
}
