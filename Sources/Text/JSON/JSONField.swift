/// A value of a document together with the path of keys that leads to it, for readers whose errors name both.
package struct JSONField: Sendable {
    package let value: JSONValue
    /// "model.merges[3]"; empty for the root.
    package let key: String

    package init(_ root: JSONValue) {
        value = root
        key = ""
    }

    init(_ value: JSONValue, key: String) {
        self.value = value
        self.key = key
    }

    private var shownKey: String { key.isEmpty ? "(root)" : key }

    /// An error at this value.
    package func fail(_ problem: String) -> TextError {
        .badValue(file: value.document.file, key: shownKey, offset: value.offset, problem: problem)
    }

    /// An error that says what is not supported here and what is.
    func unsupported(_ what: String, supported: [String]) -> TextError {
        .unsupported(file: value.document.file, what: "\(shownKey) \(what)", supported: supported)
    }

    private func wrongType(_ wanted: String) -> TextError { fail("should be \(wanted) but is \(value.kind.named)") }

    // MARK: - Members

    /// The member `name`, or nil where the object has none or has null.
    /// - Throws: where this is no object, or where it has the member twice.
    package func optional(_ name: String) throws(TextError) -> JSONField? {
        guard value.kind == .object else { throw wrongType("an object") }
        var found: JSONField?
        for (memberKey, member) in value.members where memberKey.matches(name) {
            guard found == nil else { throw fail("has the key '\(name)' twice") }
            found = JSONField(member, key: key.isEmpty ? name : "\(key).\(name)")
        }
        return found.flatMap { $0.value.isNull ? nil : $0 }
    }

    package func required(_ name: String) throws(TextError) -> JSONField {
        guard let field = try optional(name) else { throw fail("has no '\(name)'") }
        return field
    }

    /// The elements of an array.
    package func elements() throws(TextError) -> [JSONField] {
        guard value.kind == .array else { throw wrongType("an array") }
        return value.elements.enumerated().map { JSONField($1, key: "\(key)[\($0)]") }
    }

    /// Refuses an object with a key that is not in `names`: an unknown key may change what the file means.
    func onlyKeys(_ names: [String]) throws(TextError) {
        guard value.kind == .object else { throw wrongType("an object") }
        for (memberKey, _) in value.members where !names.contains(where: memberKey.matches) {
            throw unsupported("key '\(memberKey.string ?? "")'", supported: names)
        }
    }

    // MARK: - Scalars

    package func string() throws(TextError) -> String {
        guard let text = value.string else { throw wrongType("a string") }
        return text
    }

    func utf8() throws(TextError) -> [UInt8] {
        guard let text = value.utf8 else { throw wrongType("a string") }
        return text
    }

    package func boolean() throws(TextError) -> Bool {
        guard let flag = value.boolean else { throw wrongType("a boolean") }
        return flag
    }

    package func integer() throws(TextError) -> Int {
        guard value.kind == .number else { throw wrongType("a whole number") }
        guard let number = value.integer else { throw fail("should be a whole number") }
        return number
    }

    /// A boolean member, or `standard` where there is none.
    func flag(_ name: String, default standard: Bool) throws(TextError) -> Bool {
        guard let field = try optional(name) else { return standard }
        return try field.boolean()
    }
}

extension JSONValue {
    /// Whether this is a string of exactly these bytes (not of canonically equivalent ones).
    func matches(_ name: String) -> Bool {
        withText { $0.elementsEqual(name.utf8) } ?? false
    }
}
