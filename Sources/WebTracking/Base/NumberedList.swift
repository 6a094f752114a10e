// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Elements in the order in which they came. To add or to remove one costs little, however many there are. A copy costs
/// nothing until one of the two changes.
struct NumberedList<Element>: Sequence {
    /// Removed elements stay as gaps until these are the greater part.
    private var places: [(number: Int, element: Element?)] = []
    private var gaps = 0
    private var nextNumber = 0

    /// The number of places, with those of removed elements.
    var placeCount: Int { self.places.count }

    /// Returns the number by which it can be removed.
    mutating func append(_ element: Element) -> Int {
        defer { self.nextNumber += 1 }
        self.places.append((self.nextNumber, element))
        return self.nextNumber
    }

    mutating func remove(_ number: Int) {
        var (low, high) = (0, self.places.count)
        while low < high {
            let middle = (low + high) / 2
            if self.places[middle].number < number { low = middle + 1 } else { high = middle }
        }
        guard low < self.places.count, self.places[low].number == number, self.places[low].element != nil else {
            return
        }
        self.places[low].element = nil
        self.gaps += 1
        if self.gaps > 32, 2 * self.gaps > self.places.count {
            self.places.removeAll { $0.element == nil }
            self.gaps = 0
        }
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
