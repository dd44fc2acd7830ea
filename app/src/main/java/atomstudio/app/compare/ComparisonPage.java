package atomstudio.app.compare;

import gg.jte.ContentType;
import gg.jte.TemplateEngine;
import gg.jte.output.StringOutput;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Map;

/// Writes a comparison as one HTML page over the pictures in its folder: no script, nothing from elsewhere, light and
/// dark.
public final class ComparisonPage {
    private ComparisonPage() {}

    /// @param photoPaths the subject's pictures, as paths relative to the page with forward slashes
    static String render(Comparison.ReportContent content, List<String> photoPaths) {
        StringOutput html = new StringOutput();
        TemplateEngine.createPrecompiled(ContentType.Html)
                .render("page.jte", Map.of("comparison", content.comparison(),
                        "photos", photoPaths, "details", content.details(), "software", content.software()), html);
        return html.toString();
    }

    /// A relative path as a link: `#`, `?`, spaces and letters that are not ASCII would mean something else.
    public static String link(String path) {
        try {
            return new URI(null, null, path, null).toASCIIString();
        } catch (URISyntaxException noPath) {
            throw new IllegalArgumentException(path + ": no relative path", noPath);
        }
    }
}
