import Foundation

/// Where a card is handed over: a TCP port, or a Unix socket.
public enum LinkAddress: Sendable, Equatable, CustomStringConvertible {
    case tcp(host: String, port: UInt16)
    case unix(path: String)

    /// - Parameter text: `HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`.
    /// - Throws: ``CachesError/badAddress(text:)``.
    public init(_ text: String) throws {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard !path.isEmpty, path.utf8.count < Self.longestPath else { throw CachesError.badAddress(text: text) }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw CachesError.badAddress(text: text)
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { throw CachesError.badAddress(text: text) }
        self = .tcp(host: host, port: port)
    }

    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// Of the socket file; nil where it is none.
    var path: String? {
        guard case .unix(let path) = self else { return nil }
        return path
    }

    /// Bytes of a Unix socket's path and the zero behind it.
    private static var longestPath: Int { MemoryLayout.size(ofValue: sockaddr_un().sun_path) }

    /// Calls `body` with each of the system's addresses until it succeeds.
    /// - Throws: ``CachesError/noLink(address:reason:)`` with the last reason.
    func withEach<T>(passive: Bool, _ body: (_ family: Int32, UnsafePointer<sockaddr>, socklen_t) throws -> T) throws -> T {
        switch self {
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            return try withUnsafePointer(to: &address) {
                try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    try body(AF_UNIX, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        case .tcp(let host, let port):
            var hints = addrinfo()
            hints.ai_socktype = streamSocket
            hints.ai_flags = passive ? AI_PASSIVE : 0
            var list: UnsafeMutablePointer<addrinfo>?
            let status = getaddrinfo(host, "\(port)", &hints, &list)
            guard status == 0 else {
                throw CachesError.noLink(address: description, reason: String(cString: gai_strerror(status)))
            }
            defer { freeaddrinfo(list) }
            var failure: any Error = CachesError.noLink(address: description, reason: "it has no address")
            var next = list
            while let entry = next {
                do {
                    return try body(entry.pointee.ai_family, entry.pointee.ai_addr, entry.pointee.ai_addrlen)
                } catch { failure = error }
                next = entry.pointee.ai_next
            }
            throw failure
        }
    }
}

#if canImport(Glibc)
    let streamSocket = Int32(SOCK_STREAM.rawValue)
#else
    let streamSocket = SOCK_STREAM
#endif
