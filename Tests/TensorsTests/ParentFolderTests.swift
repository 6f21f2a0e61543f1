import Tensors
import Testing

@Suite struct ParentFolderTests {
    @Test(arguments: zip(
        ["o", "out", "a/o", "a/b/", "./o", "../o", "/o", "/a/o", "/a//o//", "/", ""],
        [".", ".", "a", "a", ".", "..", "/", "/a", "/a", "/", "."]))
    func folders(path: String, folder: String) {
        #expect(parentFolder(of: path) == folder)
    }
}
