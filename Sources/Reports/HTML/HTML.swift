/// Texts and drawings as they stand in a page.
enum HTML {
    static func escape(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            default: out.append(character)
            }
        }
        return out
    }

    /// `text` as the name of a place in the page: letters, digits, "-", "_" and "." stay.
    static func anchor(_ text: String) -> String { fileName(text) }

    /// gnuplot's SVG as an element of a page. The names in it get the figure's id in front, since each of its drawings uses
    /// the same ones.
    static func inline(svg: String, id: String, title: String) -> String {
        guard let start = svg.range(of: "<svg") else { return "" }
        var element = String(svg[start.lowerBound...])
        for (before, after) in [("id=\"", ""), ("id='", ""), ("href=\"#", ""), ("href='#", ""), ("url(#", "")] {
            element = element.replacing(before + after, with: before + anchor(id) + "-")
        }
        return element.replacing("<svg", with: "<svg role=\"img\" aria-label=\"\(escape(title))\"", maxReplacements: 1)
    }
}
