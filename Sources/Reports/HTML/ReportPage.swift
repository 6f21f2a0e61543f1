/// `report.html`: the report as one page that asks nobody for anything. Styles, script and drawings are in it.
struct ReportPage {
    var title: String
    var blocks: [ReportBlock]
    /// How many claims came to each verdict, in the order in which to show them.
    var counts: [(verdict: String, count: Int)]
    /// The figures' SVG texts by id.
    var drawings: [String: String]

    var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
        <title>\(HTML.escape(title))</title>
        <style>
        \(Self.style)
        </style>
        </head>
        <body>
        <nav>
        \(contents)
        </nav>
        <main>
        \(body)
        </main>
        <script>
        \(Self.script)
        </script>
        </body>
        </html>

        """
    }

    /// The blocks, and the scores of the claims below the first paragraph.
    private var body: String {
        var parts = blocks.map { $0.html(drawings: drawings) }
        parts.insert(scores, at: min(2, parts.count))
        return parts.joined(separator: "\n")
    }

    private var scores: String {
        let items = counts.map { entry in
            "<li class=\"\(HTML.anchor(entry.verdict))\"><b>\(entry.count)</b> \(HTML.escape(entry.verdict))</li>"
        }
        let all = counts.reduce(0) { $0 + $1.count }
        return items.isEmpty ? "" : "<ul class=\"scores\"><li><b>\(all)</b> claims of the papers</li>\(items.joined())</ul>\n"
    }

    private var contents: String {
        let items = blocks.compactMap(\.title).filter { $0.level > 1 }.map { title in
            "<li class=\"level\(title.level)\"><a href=\"#\(title.anchor)\">\(HTML.escape(title.text))</a></li>"
        }
        return "<ul>\n\(items.joined(separator: "\n"))\n</ul>"
    }

    /// A click sorts, the next one turns the order round, the third gives the first order back. Empty cells stay last.
    private static let script = """
        for (const table of document.querySelectorAll('table.sortable')) {
          const body = table.tBodies[0];
          const first = [...body.rows];
          table.querySelectorAll('th').forEach((head, column) => {
            head.firstChild.addEventListener('click', () => {
              const order = { none: 'ascending', ascending: 'descending', descending: 'none' }[head.ariaSort || 'none'];
              table.querySelectorAll('th').forEach(other => other.removeAttribute('aria-sort'));
              if (order === 'none') return body.append(...first);
              head.setAttribute('aria-sort', order);
              const sign = order === 'ascending' ? 1 : -1;
              const key = row => row.cells[column].dataset.key;
              const text = row => row.cells[column].textContent.trim();
              body.append(...[...first].sort((a, b) => {
                const [x, y] = [key(a), key(b)];
                if (x !== undefined && y !== undefined) return sign * (Number(x) - Number(y));
                if (x !== undefined || y !== undefined) return x !== undefined ? -1 : 1;
                return sign * text(a).localeCompare(text(b), 'en', { numeric: true });
              }));
            });
          });
        }
        """

    private static let style = """
        :root {
          color-scheme: light dark;
          --ink: #1c1e21; --soft: #5d6470; --line: #dfe2e7; --page: #ffffff; --panel: #f6f7f9; --link: #0b5cad;
          --good: #0a6b3d; --good-back: #e0f3e8; --bad: #9a3c00; --bad-back: #fdeadb; --idle: #565d68; --idle-back: #eceef1;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ink: #e4e6ea; --soft: #9aa2ae; --line: #33373e; --page: #15171a; --panel: #1d2024; --link: #7db7f5;
            --good: #7fdcaa; --good-back: #12331f; --bad: #ffb27f; --bad-back: #3d2110; --idle: #a9b0bb; --idle-back: #2a2e34;
          }
          figure svg { filter: invert(0.91) hue-rotate(180deg); }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0; display: grid; grid-template-columns: 17rem minmax(0, 1fr); background: var(--page); color: var(--ink);
          font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
        }
        nav {
          position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem 2rem 1.5rem;
          border-right: 1px solid var(--line); background: var(--panel); font-size: 13px; line-height: 1.35;
        }
        nav ul { list-style: none; margin: 0; padding: 0; }
        nav li { margin: 0.3rem 0; }
        nav .level2 { font-weight: 600; margin-top: 0.9rem; }
        nav .level3 { padding-left: 0.8rem; }
        nav a { color: inherit; }
        nav .level3 a { color: var(--soft); }
        main { padding: 2rem 2.5rem 4rem; max-width: 90rem; }
        a { color: var(--link); text-decoration: none; }
        a:hover { text-decoration: underline; }
        h1 { font-size: 1.55rem; line-height: 1.25; margin: 0 0 0.75rem; overflow-wrap: anywhere; }
        h2 { font-size: 1.3rem; margin: 3rem 0 1rem; padding-bottom: 0.3rem; border-bottom: 1px solid var(--line); }
        h3 { font-size: 1.05rem; margin: 2.2rem 0 0.4rem; }
        p, li { max-width: 62rem; }
        .caption, figcaption, .reasons, .notes, .files { color: var(--soft); font-size: 13px; }
        .caption { margin: 0 0 0.7rem; }
        .reasons, .notes, .files { margin: 0.5rem 0 0; }
        .notes { padding-left: 1.2rem; }
        code { font: 0.92em ui-monospace, "DejaVu Sans Mono", monospace; }
        .scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
        table { border-collapse: collapse; width: 100%; font-size: 13px; line-height: 1.4; font-variant-numeric: tabular-nums; }
        th, td { padding: 0.38rem 0.7rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
        tbody tr:last-child td { border-bottom: 0; }
        tbody tr:hover { background: var(--panel); }
        thead th { background: var(--panel); font-weight: 600; vertical-align: bottom; }
        th button { all: unset; cursor: pointer; }
        th button:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
        th[aria-sort=ascending] button::after { content: " \\25B2"; }
        th[aria-sort=descending] button::after { content: " \\25BC"; }
        td { white-space: nowrap; }
        .facts td { white-space: normal; overflow-wrap: anywhere; }
        .facts td:first-child { white-space: nowrap; color: var(--soft); }
        .number { text-align: right; }
        td.long { white-space: normal; min-width: 11rem; }
        td.long:last-child { min-width: 18rem; color: var(--soft); font-size: 12px; }
        .interval { color: var(--soft); }
        .missing { color: var(--soft); }
        sup { color: var(--soft); padding-left: 0.1em; line-height: 0; }
        .verdict { display: inline-block; padding: 0 0.5em; border-radius: 4px; background: var(--idle-back); color: var(--idle); }
        .verdict.reproduced { background: var(--good-back); color: var(--good); }
        .verdict.differs { background: var(--bad-back); color: var(--bad); }
        .scores { list-style: none; display: flex; flex-wrap: wrap; gap: 0.75rem; padding: 0; margin: 1.5rem 0; }
        .scores li { padding: 0.6rem 1rem; border-radius: 8px; background: var(--idle-back); color: var(--idle); }
        .scores b { display: block; font-size: 1.6rem; line-height: 1.2; }
        .scores li:first-child { background: var(--panel); color: var(--ink); }
        .scores .reproduced { background: var(--good-back); color: var(--good); }
        .scores .differs { background: var(--bad-back); color: var(--bad); }
        figure { margin: 0.75rem 0; }
        figure svg { max-width: 100%; height: auto; }
        @media (max-width: 60rem) {
          body { display: block; }
          nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line); }
          nav .level3 { display: none; }
          main { padding: 1.25rem; }
        }
        @media print { nav { display: none; } body { display: block; } }
        """
}
