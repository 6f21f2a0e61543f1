import Foundation
import Models
import Tensors
import Testing

/// Frequencies and angles of full-size heads against those of transformers.
@Suite struct RotaryEmbeddingTests {
    private static let folder = Fixture.folder + "/rope"
    static let names = try! FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }

    @Test(arguments: names)
    func likeTransformers(name: String) throws {
        let rope = (try ModelRegistry.configuration(path: "\(Self.folder)/\(name).json") as! LlamaConfiguration).rope
        let file = try SafetensorsFile(path: Self.folder + "/expected.safetensors")
        func tensor(_ kind: String) throws -> [Float] {
            Array(file.bytes(of: try file.entry("\(name).\(kind)")).bindMemory(to: Float.self))
        }
        let frequencies = try tensor("frequencies")
        let pairs = frequencies.count
        #expect(rope.frequencies.count == pairs)
        for (ours, theirs) in zip(rope.frequencies, frequencies) { #expect(abs(ours - theirs) <= theirs.ulp) }
        #expect(try tensor("factor") == [rope.attentionFactor])

        let (cosines, sines) = (try tensor("cosines"), try tensor("sines"))
        var (cosine, sine) = ([Float](repeating: 0, count: pairs), [Float](repeating: 0, count: pairs))
        let positions = file.bytes(of: try file.entry("positions")).bindMemory(to: Int32.self)
        for (index, position) in positions.enumerated() {
            rope.fill(position: Int(position), cosines: &cosine, sines: &sine)
            for pair in 0..<pairs {
                // A frequency that is off by its last bit turns the angle by that much more.
                let frequency = frequencies[pair]
                let angle = Float(position) * frequency
                let turn = rope.frequencies[pair] == frequency ? 0 : Float(position) * frequency.ulp + angle.ulp
                let tolerance = rope.attentionFactor * (3e-7 + turn)
                #expect(abs(cosine[pair] - cosines[index * pairs + pair]) <= tolerance)
                #expect(abs(sine[pair] - sines[index * pairs + pair]) <= tolerance)
            }
        }
    }
}
