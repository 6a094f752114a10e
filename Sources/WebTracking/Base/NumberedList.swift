// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Elements in the order of their numbers. To add or to remove one costs little, however many there are. A copy costs
/// nothing until one of the two changes.
struct NumberedList<Element>: Sequence {
    /// Removed elements stay as gaps until these are the greater part.
    private var places: [(number: Int, element: Element?)] = []
    /// Before this place there are only gaps.
    private var head = 0
    private var gaps = 0
    private var nextNumber = 0
    /// How many places were looked at to find the first element, or to remove gaps.
    private(set) var steps = 0

    /// The number of places, with those of removed elements.
    var placeCount: Int { self.places.count }

    var isEmpty: Bool { self.gaps == self.places.count }

    /// A number for an element, higher than all before it.
    mutating func takeNumber() -> Int {
        defer { self.nextNumber += 1 }
        return self.nextNumber
    }

    /// Inserts an element by its number, which is not in use.
    mutating func insert(_ element: Element, number: Int) {
        let place = self.place(of: number)
        self.places.insert((number, element), at: place)
        self.head = Swift.min(self.head, place)
    }

    /// Returns the element; `nil` if there is none of this number.
    @discardableResult
    mutating func remove(_ number: Int) -> Element? {
        let place = self.place(of: number)
        guard place < self.places.count, self.places[place].number == number else { return nil }
        return self.takeElement(at: place)
    }

    mutating func removeFirst() -> Element? {
        while self.head < self.places.count {
            self.steps += 1
            self.head += 1
            if let element = self.takeElement(at: self.head - 1) { return element }
        }
        return nil
    }

    private func place(of number: Int) -> Int {
        var (low, high) = (0, self.places.count)
        while low < high {
            let middle = (low + high) / 2
            if self.places[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func takeElement(at place: Int) -> Element? {
        guard let element = self.places[place].element.take() else { return nil }
        self.gaps += 1
        if self.gaps > 32, 2 * self.gaps > self.places.count {
            self.steps += self.places.count
            self.places.removeAll { $0.element == nil }
            self.gaps = 0
            self.head = 0
        }
        return element
    }

    struct Iterator: IteratorProtocol {
        fileprivate var places: IndexingIterator<[(number: Int, element: Element?)]>

        mutating func next() -> Element? {
            while let place = self.places.next() {
                if let element = place.element { return element }
            }
            return nil
        }
    }

    func makeIterator() -> Iterator { Iterator(places: self.places.makeIterator()) }
}
