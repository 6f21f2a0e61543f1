import Foundation

/// One end of a connection. Reads and writes wait at most ``timeoutSeconds`` for the other end.
package final class LinkSocket {
    static let timeoutSeconds = 30

    /// What errors call the other end.
    let peer: String
    private let descriptor: Int32

    init(_ descriptor: Int32, peer: String) {
        self.descriptor = descriptor
        self.peer = peer
        var wait = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, size)
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        #if canImport(Darwin)
            setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
        #endif
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit { close(descriptor) }

    /// - Throws: ``CachesError/noLink(address:reason:)``.
    package static func connect(to address: LinkAddress) throws -> LinkSocket {
        try address.withEach(passive: false) { family, place, length in
            let descriptor = socket(family, streamSocket, 0)
            guard descriptor >= 0 else { throw CachesError.noLink(address: address.description, reason: reason()) }
            guard systemConnect(descriptor, place, length) == 0 else {
                defer { close(descriptor) }
                throw CachesError.noLink(address: address.description, reason: reason())
            }
            return LinkSocket(descriptor, peer: address.description)
        }
    }

    /// - Throws: ``CachesError/linkBroken(peer:reason:)``.
    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            #if canImport(Darwin)
                let count = send(descriptor, rest.baseAddress!, min(rest.count, 1 << 30), 0)
            #else
                let count = send(descriptor, rest.baseAddress!, min(rest.count, 1 << 30), Int32(MSG_NOSIGNAL))
            #endif
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw CachesError.linkBroken(peer: peer, reason: Self.reason()) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Fills `bytes`.
    /// - Returns: false when the other end closed before the first of them.
    /// - Throws: ``CachesError/linkBroken(peer:reason:)``.
    @discardableResult
    func read(_ bytes: UnsafeMutableRawBufferPointer) throws -> Bool {
        var done = 0
        while done < bytes.count {
            let count = recv(descriptor, bytes.baseAddress! + done, bytes.count - done, 0)
            if count < 0 && errno == EINTR { continue }
            guard count != 0 else {
                if done == 0 { return false }
                throw CachesError.linkBroken(peer: peer, reason: "it closed the connection in the middle of a message")
            }
            guard count > 0 else { throw CachesError.linkBroken(peer: peer, reason: Self.reason()) }
            done += count
        }
        return true
    }

    /// The system's words.
    static func reason() -> String {
        errno == EAGAIN || errno == EWOULDBLOCK
            ? "nothing came for \(timeoutSeconds) seconds" : String(cString: strerror(errno))
    }
}

/// Waits for connections at an address.
public final class LinkListener: @unchecked Sendable {
    /// With the port that the system chose where it was 0.
    public let address: LinkAddress
    private let descriptor: Int32
    private let socketFile: [UInt64]?

    /// - Throws: ``CachesError/noLink(address:reason:)``.
    public init(on address: LinkAddress) throws {
        if let path = address.path { Self.removeOldSocket(path) }
        let opened = try address.withEach(passive: true) { family, place, length in
            let descriptor = socket(family, streamSocket, 0)
            guard descriptor >= 0 else { throw CachesError.noLink(address: address.description, reason: LinkSocket.reason()) }
            var on: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            // A socket file is for its owner only, from before the first that may connect.
            guard bind(descriptor, place, length) == 0, address.path.map({ chmod($0, 0o600) == 0 }) ?? true,
                listen(descriptor, 8) == 0
            else {
                defer { close(descriptor) }
                throw CachesError.noLink(address: address.description, reason: LinkSocket.reason())
            }
            return descriptor
        }
        descriptor = opened
        socketFile = address.path.flatMap(Self.file)
        guard case .tcp(let host, _) = address else {
            self.address = address
            return
        }
        var place = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let port = withUnsafeMutablePointer(to: &place) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(opened, $0, &length) }
            // The port lies at the same place in the addresses of both versions of IP.
            return place.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { UInt16(bigEndian: $0.pointee.sin_port) }
        }
        self.address = .tcp(host: host, port: port)
    }

    deinit {
        // Not the one of a listener that took the same path since.
        if let path = address.path, let socketFile, let now = Self.file(path), now == socketFile { unlink(path) }
        close(descriptor)
    }

    /// Device and number of the file at `path`, by which it is known again.
    private static func file(_ path: String) -> [UInt64]? {
        var status = stat()
        return lstat(path, &status) == 0 ? [UInt64(status.st_dev), UInt64(status.st_ino)] : nil
    }

    /// - Parameter timeoutSeconds: how long to wait; for ever where nil.
    /// - Throws: ``CachesError/noLink(address:reason:)``.
    func accept(timeoutSeconds: Int? = nil) throws -> LinkSocket {
        while true {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let came = poll(&waiting, 1, timeoutSeconds.map { Int32($0 * 1000) } ?? -1)
            guard came != 0 else {
                throw CachesError.noLink(address: address.description, reason: "nobody came within \(timeoutSeconds ?? 0) seconds")
            }
            // A signal ended the wait, which begins again.
            if came < 0, errno == EINTR { continue }
            let connection = systemAccept(descriptor)
            if connection >= 0 { return LinkSocket(connection, peer: "the sender at \(address)") }
            guard errno == EINTR || errno == ECONNABORTED else {
                throw CachesError.noLink(address: address.description, reason: LinkSocket.reason())
            }
        }
    }

    /// What a process left that died; nothing but a socket is removed.
    private static func removeOldSocket(_ path: String) {
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK { unlink(path) }
    }
}

private func systemConnect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    connect(descriptor, address, length)
}

private func systemAccept(_ descriptor: Int32) -> Int32 { accept(descriptor, nil, nil) }
