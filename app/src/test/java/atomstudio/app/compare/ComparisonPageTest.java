package atomstudio.app.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.compare.Comparison.ComparisonRow;
import java.io.StringReader;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class ComparisonPageTest {
    private static String page(Comparison comparison) {
        return ComparisonPage.render(ComparisonExamples.showing(comparison), List.of("subject/00.png"));
    }

    private static Set<String> links(String html) {
        Set<String> links = new TreeSet<>();
        Matcher link = Pattern.compile("(?:href|src)=\"([^\"]*)\"").matcher(html);
        while (link.find()) links.add(link.group(1));
        return links;
    }

    @Test
    void linksToEveryPictureAndToNothingElsewhere() {
        Comparison comparison = ComparisonExamples.comparison(List.of("a {} in the snow", "a {}"), List.of(0L, 1L));
        Set<String> expected = new TreeSet<>(List.of("sheet.png", "compare.json", "subject/00.png"));
        for (ComparisonRow row : comparison.rows()) {
            for (int prompt = 0; prompt < 2; prompt++) {
                for (long seed = 0; seed < 2; seed++) expected.add(Comparison.imagePath(row, prompt, seed));
            }
        }
        assertEquals(expected, links(page(comparison)));
        assertFalse(page(comparison).contains("http"), "no address");
    }

    @Test
    void whatPeopleWroteIsTextAndNotMarkup() {
        String html = page(new Comparison("m", "<b>car</b>", "sks\"", List.of("<script>alert('1')</script> & {}"),
                List.of(0L), List.of(ComparisonRow.base(), new ComparisonRow("atoms", "r", 1, 1, 1))));
        assertFalse(html.contains("<script") || html.contains("<b>"), html);
        assertTrue(html.contains("<h2>&lt;script&gt;alert('1')&lt;/script&gt; &amp; sks\" &lt;b&gt;car&lt;/b&gt;</h2>"),
                html);
        assertTrue(
                html.contains("alt=\"Base: &lt;script>alert(&#39;1&#39;)&lt;/script> &amp; &lt;b>car&lt;/b>, seed 0\""),
                html);
    }

    @Test
    void saysWhatEachRowCosts() {
        String html = page(ComparisonExamples.comparison(List.of("a {}"), List.of(0L)));
        assertTrue(html.contains("<tr><th>Filter atoms</th><td>2,268</td><td>11 KB</td><td>38 s</td></tr>"), html);
        assertTrue(html.contains("<tr><th>Base</th><td>none</td><td></td><td></td></tr>"), html);
    }

    @Test
    void measuresStandBesideTheCostsWithTheirEncoder() {
        String html = page(ComparisonExamples.measured(ComparisonExamples.comparison(List.of("a {}"), List.of(0L))));
        assertTrue(html.contains("<th>likeness</th><th>diversity</th><th>alignment</th>"), html);
        assertTrue(html.contains("<td>38 s</td><td>0.46</td><td>0.06</td><td>–</td></tr>"), html);
        assertTrue(html.contains("<td>none</td><td></td><td></td><td>0.31</td><td>0.03</td><td>0.80</td></tr>"), html);
        assertTrue(html.contains("by image_encoder of Small."), html);
        String without = page(ComparisonExamples.comparison(List.of("a {}"), List.of(0L)));
        assertFalse(without.contains("<th>likeness</th>"), "no column without numbers");
        assertEquals(without.indexOf("not measured"), without.lastIndexOf("not measured"), "said once");
        assertTrue(without.contains("not measured"), without);
    }

    @Test
    void followsTheReadersLightOrDark() {
        String html = page(ComparisonExamples.comparison(List.of("a {}"), List.of(0L)));
        assertTrue(html.contains("prefers-color-scheme: dark") && html.contains("viewport"), html);
    }

    @Test
    void everyElementIsClosed() throws Exception {
        String html = page(ComparisonExamples.comparison(List.of("a {} & <more>"), List.of(0L, 1L)));
        String xml = html.replaceFirst("<!DOCTYPE html>", "")
                .replaceAll("<(meta|img)((?:[^>\"]|\"[^\"]*\")*)>", "<$1$2/>");
        Document read = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(xml)));
        assertEquals(7, read.getElementsByTagName("img").getLength());
    }
}
