// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "kvlab",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "kvlab", targets: ["kvlab"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2"),
    ],
    targets: [
        // Lowest first; each target imports only those above it that it names.
        .target(name: "CKernels"),
        .systemLibrary(
            name: "CHDF5", pkgConfig: "hdf5",
            providers: [.apt(["libhdf5-dev"]), .brew(["hdf5"])]),
        .target(name: "Tensors", dependencies: ["CKernels"]),
        .target(
            name: "Schemes",
            dependencies: ["Tensors", "CKernels", .product(name: "Crypto", package: "swift-crypto")]),
        .target(
            name: "Caches",
            dependencies: ["Schemes", "Tensors", "CKernels", .product(name: "Crypto", package: "swift-crypto")]),
        .target(
            name: "Models",
            dependencies: [
                "Caches", "Schemes", "Tensors", "CKernels", .product(name: "Crypto", package: "swift-crypto"),
            ]),
        .target(name: "Text"),
        .target(name: "Engine", dependencies: ["Models", "Caches", "Schemes", "Tensors", "Text", "CKernels"]),
        .target(
            name: "Results",
            dependencies: ["CHDF5", .product(name: "Crypto", package: "swift-crypto")]),
        .target(
            name: "Experiments",
            dependencies: [
                "Engine", "Models", "Caches", "Schemes", "Tensors", "Text", "CKernels", "Results",
                .product(name: "Yams", package: "Yams"),
            ]),
        .target(
            name: "Reports",
            dependencies: [
                "Results", .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "Yams", package: "Yams"),
            ]),
        .executableTarget(
            name: "kvlab",
            dependencies: [
                "Experiments", "Reports", "Results", "Engine", "Models", "Caches", "Schemes", "Text", "Tensors", "CKernels",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .testTarget(name: "CKernelsTests", dependencies: ["CKernels"], exclude: ["driver"]),
        .target(name: "Fuzzing", path: "Tests/Fuzzing"),
        .testTarget(name: "TensorsTests", dependencies: ["Tensors", "Fuzzing"]),
        .testTarget(name: "SchemesTests", dependencies: ["Schemes", "Tensors", "CKernels"]),
        .testTarget(
            name: "CachesTests",
            dependencies: ["Caches", "Schemes", "Tensors", "CKernels", .target(name: "CrashingSaver")]),
        // Saves a cache until it is killed: what CachesTests kills.
        .executableTarget(
            name: "CrashingSaver", dependencies: ["Caches", "Schemes", "Tensors", "CKernels"],
            path: "Tests/CrashingSaver"),
        .testTarget(
            name: "ModelsTests",
            dependencies: [
                "Models", "Caches", "Schemes", "Tensors", "CKernels", .product(name: "Crypto", package: "swift-crypto"),
            ]),
        .testTarget(name: "TextTests", dependencies: ["Text", "Fuzzing"]),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "Engine", "Models", "Caches", "Schemes", "Tensors", "Text", "CKernels", "Fuzzing",
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        .testTarget(name: "ResultsTests", dependencies: ["Results", "CHDF5"]),
        .testTarget(
            name: "ExperimentsTests",
            dependencies: ["Experiments", "Engine", "Models", "Caches", "Results", "Tensors", "Text", "CKernels"]),
        .testTarget(name: "ReportsTests", dependencies: ["Reports"]),
        .testTarget(name: "kvlabTests", dependencies: ["kvlab", "Caches", "Schemes", "Tensors", "CKernels"]),
    ]
)
