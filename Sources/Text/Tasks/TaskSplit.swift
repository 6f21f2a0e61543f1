/// Which half of a task's items a document may be made of.
///
/// An item is what a document asks for: one fact (name and code), one problem's names and numbers, one text to copy, one
/// call's arguments. Each item belongs to exactly one split, by a hash of its own words: an eighth of all items is for tests.
/// No item of a test document can therefore stand in a training document, whatever the seeds.
public enum TaskSplit: String, Sendable, Codable, CaseIterable {
    case train, test

    /// The split that an item belongs to.
    public static func of(item: String) -> TaskSplit {
        StableHash.of(item) % 8 == 0 ? .test : .train
    }

    /// Draws until an item of this split comes.
    func draw<Item>(_ key: (Item) -> String, _ make: () -> Item) -> Item {
        while true {
            let item = make()
            if Self.of(item: key(item)) == self { return item }
        }
    }
}
