package atomstudio.app.compare;

import gg.jte.ContentType;
import gg.jte.TemplateEngine;
import gg.jte.output.StringOutput;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Map;

/// The HTML page of a comparison: without scripts and external resources, with a light and a dark theme.
public final class ComparisonPage {
    private ComparisonPage() {}

    /// @param photoPaths the training photos, relative to the page, with forward slashes
    static String render(Comparison.ReportContent content, List<String> photoPaths) {
        StringOutput html = new StringOutput();
        TemplateEngine.createPrecompiled(ContentType.Html)
                .render("page.jte", Map.of("comparison", content.comparison(),
                        "photos", photoPaths, "details", content.details(), "software", content.software()), html);
        return html.toString();
    }

    /// A relative path as a URL: `#`, `?`, spaces and non-ASCII characters are escaped.
    public static String link(String path) {
        try {
            return new URI(null, null, path, null).toASCIIString();
        } catch (URISyntaxException error) {
            throw new IllegalArgumentException(path + ": expected a relative path", error);
        }
    }
}
