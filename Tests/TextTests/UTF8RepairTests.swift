import Testing
import Text

struct UTF8RepairTests {
    @Test func equalsPython() throws {
        for item in try Fixtures.document("utf8.json").elements() {
            let bytes = GoldenCase.bytes(hex: try item.required("bytes").string())
            #expect(UTF8Repair.repaired(bytes) == Array(try item.required("text").string().utf8), "\(bytes)")
        }
    }
}
