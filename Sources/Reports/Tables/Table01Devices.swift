/// P1, Table 1: memory and bandwidth of edge devices, and this machine as it was measured.
struct Table01Devices: TableDefinition {
    let id = "T1"
    let title = "Table 1. Edge devices, and this machine"
    let needs: [String] = []

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let published = try input.published.table("table01_devices")
        var rows: [[ReportTable.Cell]] = try (0..<published.rowCount).map { row in
            [
                .text(try published.text(row, "device")), .text("published"),
                .number(try published.number(row, "memory_gb") * 0x1p30),
                .number(try published.number(row, "bandwidth_gb_s") * 1e9),
                .number(try published.number(row, "ssd_gb_s") * 1e9), .text(try published.text(row, "type")),
            ]
        }
        func measured(_ name: String) -> ReportTable.Cell {
            input.machineNumber(name).map(ReportTable.Cell.number) ?? .missing("the machine record has no \(name)")
        }
        rows.append([
            .text(input.machineText("cpu_model") ?? "this machine"), .text("measured here"), measured("memory_bytes"),
            measured("memory_read_bytes_per_second"), measured("disk_read_bytes_per_second"),
            .missing("whether memory is shared with an accelerator is not measured; this run used the CPU"),
        ])
        return [
            ReportTable(
                id: id, title: title,
                caption: """
                    Published rows are the constants of P1, Table 1 (data sheets; the paper's memory GB are GiB). The \
                    last row is measured: installed memory, sequential read bandwidth of memory and of the disk \
                    that holds the caches. \(input.provenance())
                    """,
                columns: [
                    .init("Device", key: "device", .text),
                    .init("Source", key: "source", .text),
                    .init("Memory", key: "memory_bytes", .bytes),
                    .init("Memory bandwidth", key: "memory_bytes_per_second", .bytesPerSecond, unitGroup: "memory"),
                    .init("Disk bandwidth", key: "disk_bytes_per_second", .bytesPerSecond, unitGroup: "disk"),
                    .init("Type", key: "type", .text),
                ], rows: rows)
        ]
    }
}
