import Foundation

/// Colours of a terminal. There are none where the stream is no terminal, where NO_COLOR is set and not empty
/// (https://no-color.org), or where TERM is dumb.
struct TerminalStyle {
    enum Colour: String {
        case bold = "1"
        case dim = "2"
        case green = "32"
        case yellow = "33"
    }

    static let output = TerminalStyle(STDOUT_FILENO)
    static let errors = TerminalStyle(STDERR_FILENO)

    let isTerminal: Bool
    let isColoured: Bool
    private let file: Int32

    init(_ file: Int32) {
        let environment = ProcessInfo.processInfo.environment
        self.file = file
        isTerminal = isatty(file) == 1
        isColoured = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    func paint(_ text: String, _ colour: Colour) -> String {
        isColoured ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// `text` with its verdicts in colour; widths stay as they are.
    func verdicts(in text: String) -> String {
        guard isColoured else { return text }
        return text.replacing("reproduced", with: paint("reproduced", .green)).replacing("differs", with: paint("differs", .yellow))
    }

    /// Columns and rows of the terminal; 80 and 24 where it does not say.
    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(file, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
