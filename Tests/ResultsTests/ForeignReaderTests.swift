import Foundation
import Results
import Testing

/// Other programs read the file as the documentation says: h5py and pandas where Python has them, else h5dump.
@Suite struct ForeignReaderTests {
    /// Prints what the test compares, one fact a line.
    static let script = """
        import sys, h5py, pandas
        f = h5py.File(sys.argv[1])
        print(*f)
        print(f.attrs["run_id"].decode(), f.attrs["git_dirty"])
        for g in list(f)[1:]:
            t = pandas.DataFrame({k: f[g][k][:] for k in f[g]})
            print(g, *t.shape, *t.columns)
            for k in f[g]:
                d = f[g][k]
                assert d.fletcher32 or len(t) == 0, k
                assert k == "row" or d.dims[0][0].name == d.parent["row"].name, k
        try:
            import h5netcdf, xarray
        except ImportError:
            pass  # not everybody who has pandas has these
        else:
            t = xarray.load_dataset(sys.argv[1], engine="h5netcdf", group="ttft")
            assert dict(t.sizes) == {"row": 7} and t.ttft.attrs["units"] == "s", t
            assert xarray.load_dataset(sys.argv[1], engine="h5netcdf").attrs["git_dirty"] == 1
        print(f["ttft/ttft"].attrs["units"].decode(), f["ttft/ttft"].attrs["_FillValue"])
        print(*f["ttft/scheme"].asstr()[:3], f["ttft/note"].dtype)
        """

    static let expected = """
        machine cells ttft a_first
        2026-11-21T01-02-03Z-quick-ab12cd 1
        cells 2 4 row name seconds commit
        ttft 7 5 row scheme depth ttft note
        a_first 0 4 row x k t
        s nan
        affine-q4-g64 fp16 größer |S1

        """

    @Test func h5pyAndPandasOrH5dumpReadIt() throws {
        try Samples.inFolder { folder in
            let path = "\(folder)/results.h5"
            try Samples.file().write(to: path)
            if try Tools.run("python3 -c 'import h5py, pandas'").status == 0 {
                try Self.script.write(toFile: "\(folder)/read.py", atomically: true, encoding: .utf8)
                let (status, output) = try Tools.run("PYTHONIOENCODING=utf8 python3 '\(folder)/read.py' '\(path)'")
                #expect(status == 0)
                #expect(output == Self.expected)
            } else if Tools.find("h5dump") {
                let (status, output) = try Tools.run("h5dump -q creation_order '\(path)'")
                #expect(status == 0)
                let names = output.matches(of: /GROUP "([^"]*)"/).map { String($0.output.1) }
                #expect(names == ["/", "machine", "cells", "ttft", "a_first"])
                let datasets = output.matches(of: /DATASET "([^"]*)" \{/).map { String($0.output.1) }
                #expect(datasets.starts(with: ["row", "name", "seconds", "commit", "row", "scheme", "depth", "ttft", "note"]))
                #expect(output.contains("\"DIMENSION_SCALE\""))
            } else {
                Issue.record("Neither h5py with pandas nor h5dump is here; install hdf5-tools.")
            }
        }
    }
}
