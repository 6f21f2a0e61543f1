import Foundation

/// A Python process that encodes and decodes rows which lie in memory that it shares with this one.
///
/// Requests and replies go through a socket: a request is five 32-bit numbers (operation, kind, width, tokens, bytes), a
/// reply is a status, a number and the length of a text that follows, which is JSON at the start and a sentence on failure.
final class PythonWorker: @unchecked Sendable {
    enum Operation: Int32 { case declare, encode, decode }

    /// The header of a reply.
    private struct Reply {
        var status: Int32 = 0
        var number: Int32 = 0
        var length: Int32 = 0
    }

    /// Bytes of the floats, and of the bytes behind them.
    private static let halfBytes = 8 << 20
    /// A call that takes longer has gone wrong.
    private static let timeoutSeconds = 120

    /// What the file says of itself, as JSON.
    let traits: Data
    private let file: String
    private let process: Process
    private let socket: Int32
    private let memory: UnsafeMutableRawPointer

    var floats: UnsafeMutablePointer<Float> { memory.assumingMemoryBound(to: Float.self) }
    var bytes: UnsafeMutablePointer<UInt8> { (memory + Self.halfBytes).assumingMemoryBound(to: UInt8.self) }

    func holds(floats: Int, bytes: Int) -> Bool {
        floats * MemoryLayout<Float>.size <= Self.halfBytes && bytes <= Self.halfBytes
    }

    /// Starts `python3`, or what the environment variable `KVLAB_PYTHON` names, and waits until it has run the source of the file.
    /// - Throws: ``SchemeError/python(file:problem:)``.
    init(file: String, source: Data) throws {
        func problem(_ text: String) -> SchemeError { .python(file: file, problem: text) }
        self.file = file
        let python = ProcessInfo.processInfo.environment["KVLAB_PYTHON"] ?? "python3"
        // In memory where there is a place for that.
        let folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : FileManager.default.temporaryDirectory.path
        let shared = "\(folder)/kvlab-python-\(UUID().uuidString)"
        let descriptor = open(shared, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0, ftruncate(descriptor, off_t(2 * Self.halfBytes)) == 0,
            let memory = mmap(nil, 2 * Self.halfBytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), memory != MAP_FAILED
        else { throw problem("memory to share with a worker cannot be had: \(String(cString: strerror(errno)))") }
        close(descriptor)
        defer { unlink(shared) }
        self.memory = memory
        guard source.count <= Self.halfBytes else { throw problem("its \(source.count) bytes are more than \(Self.halfBytes)") }
        source.copyBytes(to: memory.assumingMemoryBound(to: UInt8.self), count: source.count)

        var ends: [Int32] = [-1, -1]
        #if canImport(Darwin)
            let made = socketpair(AF_UNIX, SOCK_STREAM, 0, &ends)
        #else
            let made = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        #endif
        guard made == 0 else { throw problem("a worker cannot be talked to: \(String(cString: strerror(errno)))") }
        socket = ends[0]
        var wait = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        #if canImport(Darwin)
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            var on: Int32 = 1
            setsockopt(socket, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
        #endif

        let process = Process()
        self.process = process
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [python, "-c", pythonWorkerSource, file, shared, "\(Self.halfBytes)", "\(source.count)"]
        let theirs = FileHandle(fileDescriptor: ends[1], closeOnDealloc: false)
        process.standardInput = theirs
        process.standardOutput = theirs
        let started = Result { try process.run() }
        close(ends[1])
        if case .failure(let error) = started {
            close(socket)
            munmap(memory, 2 * Self.halfBytes)
            throw problem("\(python) cannot be started: \(error.localizedDescription)")
        }
        do {
            traits = try Self.receive(socket, file: file).text
        } catch {
            close(socket)
            munmap(memory, 2 * Self.halfBytes)
            throw error
        }
    }

    /// The process ends when its socket does.
    deinit {
        close(socket)
        munmap(memory, 2 * Self.halfBytes)
    }

    /// - Returns: the number of the reply.
    /// - Throws: ``SchemeError/python(file:problem:)``.
    @discardableResult
    func call(_ operation: Operation, _ kind: RowKind, width: Int, tokens: Int, bytes: Int) throws -> Int {
        let request = [operation.rawValue, kind == .keys ? 0 : 1, Int32(width), Int32(tokens), Int32(bytes)]
        let sent = request.withUnsafeBytes {
            #if canImport(Darwin)
                send(socket, $0.baseAddress!, $0.count, 0)
            #else
                send(socket, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL))
            #endif
        }
        guard sent == request.count * MemoryLayout<Int32>.size else { throw Self.ended(file) }
        return try Self.receive(socket, file: file).number
    }

    private static func receive(_ socket: Int32, file: String) throws -> (number: Int, text: Data) {
        var reply = Reply()
        try withUnsafeMutableBytes(of: &reply) { try read(socket, $0, file) }
        var text = [UInt8](repeating: 0, count: max(0, Int(reply.length)))
        try text.withUnsafeMutableBytes { try read(socket, $0, file) }
        guard reply.status == 0 else { throw SchemeError.python(file: file, problem: String(decoding: text, as: UTF8.self)) }
        return (Int(reply.number), Data(text))
    }

    private static func read(_ socket: Int32, _ bytes: UnsafeMutableRawBufferPointer, _ file: String) throws {
        var done = 0
        while done < bytes.count {
            let count = recv(socket, bytes.baseAddress! + done, bytes.count - done, 0)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN || errno == EWOULDBLOCK {
                throw SchemeError.python(file: file, problem: "its worker did not answer for \(timeoutSeconds) seconds")
            }
            guard count > 0 else { throw ended(file) }
            done += count
        }
    }

    private static func ended(_ file: String) -> SchemeError {
        .python(file: file, problem: "its worker ended in the middle of a call, or Python cannot be started")
    }
}
