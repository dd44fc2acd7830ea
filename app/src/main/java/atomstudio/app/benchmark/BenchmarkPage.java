package atomstudio.app.benchmark;

import gg.jte.ContentType;
import gg.jte.TemplateEngine;
import gg.jte.output.StringOutput;
import java.util.List;
import java.util.Map;

/// The HTML page of a benchmark: without scripts and external resources, with a light and a dark theme.
/// @param notes    the protocol, in lines
/// @param rows     cells of the table, as many as the header
/// @param problems runs that are missing or failed
public record BenchmarkPage(String title, List<String> notes, List<String> header, List<List<String>> rows,
        List<SubjectSection> subjects, List<String> problems, String software) {
    /// Prompts that are shown; the images of all are in `images.csv`.
    static final int MAX_PROMPTS = 8;

    /// The images of a subject. Paths are relative to the page.
    /// @param prompts above the columns
    /// @param sheet   all of it as one image
    public record SubjectSection(String name, String className, List<String> photos, List<String> prompts,
            List<RunRow> runs, String sheet) {}

    /// @param facts  its scores
    /// @param images one for each prompt
    public record RunRow(String title, String facts, List<String> images) {}

    String render() {
        StringOutput html = new StringOutput();
        TemplateEngine.createPrecompiled(ContentType.Html).render("benchmark.jte", Map.of("page", this), html);
        return html.toString();
    }
}
