import Caches
import Foundation

// CrashingSaver FOLDER FIRST: goes on with the cache of agent "anna" in FOLDER, saves state after state from FIRST on, and
// says the number of each one that was saved. It ends when it is killed.
let small = try SmallCache()
let folder = try CacheFolder(path: CommandLine.arguments[1]).agent("anna")
var number = Int(CommandLine.arguments[2])!
let cache = number == 0 ? small.cache() : try small.load(folder)
while true {
    try small.advance(cache, to: number)
    try folder.save(cache.snapshot(), identity: small.identity)
    FileHandle.standardOutput.write(Data("\(number)\n".utf8))
    number += 1
}
