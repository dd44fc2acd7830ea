package atomstudio.app.compare;

import atomstudio.app.compare.Comparison.ComparisonRow;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/// Writes a comparison as one HTML page over the pictures in its folder: no script, nothing from elsewhere, light and
/// dark.
final class ComparisonPage {
    private static final String STYLE = """
        :root { color-scheme: light dark; --paper: #fff; --ink: #1f2328; --muted: #59636e; --line: #dde2e8; --tile: 176px; }
        @media (prefers-color-scheme: dark) { :root { --paper: #0d1117; --ink: #e6edf3; --muted: #9198a1; --line: #30363d; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 1500px; padding: 32px clamp(16px, 4vw, 48px); background: var(--paper); color: var(--ink);
          font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
        h1 { font-size: 30px; line-height: 1.2; margin: 0 0 4px; }
        h2 { font-size: 18px; font-weight: 600; margin: 0 0 12px; overflow-wrap: anywhere; }
        p { margin: 0; color: var(--muted); }
        header { display: flex; flex-wrap: wrap; gap: 24px; justify-content: space-between; margin-bottom: 32px; }
        header > div:first-child { flex: 1 1 320px; }
        .subject { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 8px; }
        .subject img { width: 88px; height: 88px; object-fit: cover; }
        img { display: block; border-radius: 8px; background: var(--line); }
        a:focus-visible img { outline: 3px solid #0969da; outline-offset: 2px; }
        table { border-collapse: collapse; margin-bottom: 40px; font-variant-numeric: tabular-nums; }
        th, td { padding: 6px 28px 6px 0; border-bottom: 1px solid var(--line); text-align: right; font-weight: 400; }
        th:first-child { text-align: left; font-weight: 600; }
        thead th { color: var(--muted); font-size: 14px; }
        main { display: grid; gap: 12px 48px; grid-template-columns: repeat(auto-fill, minmax(min(100%, calc(170px + var(--seeds) * (var(--tile) + 8px))), 1fr)); }
        section { min-width: 0; padding: 20px 0 28px; border-top: 1px solid var(--line); }
        .gallery { display: grid; gap: 8px; align-items: start; overflow-x: auto; padding: 4px; margin: -4px; grid-template-columns: 154px repeat(var(--seeds), var(--tile)); }
        .gallery h3 { position: sticky; left: 0; margin: 0; padding-right: 8px; font-size: 15px; line-height: 1.35; background: var(--paper); }
        .gallery h3 small { display: block; font-weight: 400; font-size: 13px; color: var(--muted); }
        .gallery span { font-size: 12.5px; color: var(--muted); }
        .gallery img { width: 100%; height: auto; }
        footer { padding-top: 20px; border-top: 1px solid var(--line); font-size: 14px; color: var(--muted); }
        footer a { color: inherit; }
        @media (max-width: 640px) {
          :root { --tile: 128px; }
          .gallery { grid-template-columns: repeat(var(--seeds), var(--tile)); }
          .gallery h3 { grid-column: 1 / -1; justify-self: start; padding-top: 8px; }
          .gallery h3 small { display: inline; margin-left: 8px; }
          .gallery .corner { display: none; }
          th, td { padding-right: 14px; }
        }
        """;

    private final Comparison.ReportContent content;
    private final List<String> photoPaths;
    private final StringBuilder html = new StringBuilder();

    private ComparisonPage(Comparison.ReportContent content, List<String> photoPaths) {
        this.content = content;
        this.photoPaths = photoPaths;
    }

    /// @param photoPaths the subject's pictures, as paths relative to the page with forward slashes
    static String render(Comparison.ReportContent content, List<String> photoPaths) {
        return new ComparisonPage(content, photoPaths).renderPage();
    }

    private String renderPage() {
        Comparison comparison = content.comparison();
        String title = comparison.token() + " " + comparison.className();
        html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
                .append(escape(title))
                .append(" – Atom Studio</title>\n<style>\n")
                .append(STYLE)
                .append("</style>\n</head>\n<body>\n");
        header(title);
        table();
        html.append("<main style=\"--seeds: ").append(comparison.seeds().size()).append("\">\n");
        for (int prompt = 0; prompt < comparison.prompts().size(); prompt++) section(prompt);
        html.append("</main>\n");
        html.append("<footer>Images below each other share prompt, seed and noise. Base was asked for “")
                .append(escape(comparison.className()))
                .append("”, the others for “")
                .append(escape(title))
                .append("”. ")
                .append(escape(ComparisonText.metricsNote(comparison)))
                .append(" The same as <a href=\"sheet.png\">one picture</a> and as <a href=\"")
                .append(Comparison.FILE)
                .append("\">data</a>. ")
                .append(escape(content.software()))
                .append("</footer>\n</body>\n</html>\n");
        return html.toString();
    }

    private void header(String title) {
        html.append("<header>\n<div>\n<h1>")
                .append(escape(title))
                .append("</h1>\n<p>")
                .append(escape(content.details()))
                .append("</p>\n</div>\n<div>\n<p>Trained on ")
                .append(ComparisonText.photos(photoPaths.size()))
                .append("</p>\n<div class=\"subject\">\n");
        for (String photo : photoPaths) {
            html.append("<a href=\"")
                    .append(link(photo))
                    .append("\"><img src=\"")
                    .append(link(photo))
                    .append("\" alt=\"the subject\"></a>\n");
        }
        html.append("</div>\n</div>\n</header>\n");
    }

    private void table() {
        html.append("<table>\n<thead><tr><th></th><th>parameters</th><th>adapter file</th><th>training time</th>");
        if (hasMetrics()) html.append("<th>likeness</th><th>diversity</th><th>alignment</th>");
        html.append("</tr></thead>\n<tbody>\n");
        for (ComparisonRow row : content.comparison().rows()) {
            html.append("<tr><th>").append(escape(ComparisonText.rowTitle(row))).append("</th>");
            if (row.isBase()) {
                html.append("<td>none</td><td></td><td></td>");
            } else {
                html.append("<td>")
                        .append(String.format(Locale.ROOT, "%,d", row.parameterCount()))
                        .append("</td><td>")
                        .append(ComparisonText.bytes(row.bytes()))
                        .append("</td><td>")
                        .append(ComparisonText.seconds(row.seconds()))
                        .append("</td>");
            }
            row.metrics().ifPresent(metrics -> {
                for (OptionalDouble metric : List.of(metrics.likeness(), metrics.diversity(), metrics.alignment()))
                    html.append("<td>").append(ComparisonText.metric(metric)).append("</td>");
            });
            html.append("</tr>\n");
        }
        html.append("</tbody>\n</table>\n");
    }

    private boolean hasMetrics() {
        return content.comparison().rows().stream().anyMatch(row -> row.metrics().isPresent());
    }

    private void section(int prompt) {
        Comparison comparison = content.comparison();
        html.append("<section>\n<h2>")
                .append(escape(comparison.prompt(comparison.rows().getLast(), prompt)))
                .append("</h2>\n<div class=\"gallery\">\n<span class=\"corner\"></span>");
        for (long seed : comparison.seeds()) html.append("<span>seed ").append(seed).append("</span>");
        html.append('\n');
        for (ComparisonRow row : comparison.rows()) {
            html.append("<h3>")
                    .append(escape(ComparisonText.rowTitle(row)))
                    .append(" <small>")
                    .append(escape(ComparisonText.parameters(row)))
                    .append("</small></h3>\n");
            for (long seed : comparison.seeds()) {
                String link = link(Comparison.imagePath(row, prompt, seed));
                html.append("<a href=\"")
                        .append(link)
                        .append("\"><img loading=\"lazy\" src=\"")
                        .append(link)
                        .append("\" alt=\"")
                        .append(escape(ComparisonText.rowTitle(row) + ": " + comparison.prompt(row, prompt) + ", seed "
                                + seed))
                        .append("\"></a>\n");
            }
        }
        html.append("</div>\n</section>\n");
    }

    /// A relative path as a link: `#`, `?`, spaces and letters that are not ASCII would mean something else.
    private static String link(String path) {
        try {
            return escape(new URI(null, null, path, null).toASCIIString());
        } catch (URISyntaxException noPath) {
            throw new IllegalArgumentException(path + ": no relative path", noPath);
        }
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
