package atomstudio.tuning.method;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PaperTest {
    private static final Path GUIDE = Path.of("../docs/guide/train.md");
    /// A row of the guide's table of methods: the methods, then what is trained, then the papers.
    private static final Pattern ROW = Pattern
            .compile("(\\| (`[a-z][a-z0-9+-]*`(?:, `[a-z][a-z0-9+-]*`)*) \\| .* \\|)[^|]*\\|");

    @Test
    void everyPaperIsOfAMethodOrVariant() {
        Set<Paper> used = EnumSet.noneOf(Paper.class);
        for (MethodName method : MethodName.values()) {
            assertFalse(Paper.of(method).isEmpty(), method.option());
            used.addAll(Paper.of(method));
        }
        for (Paper.Variant variant : Paper.Variant.ALL) {
            assertFalse(variant.setting().methods().isEmpty(), variant.displayName());
            used.addAll(variant.papers());
        }
        assertEquals(EnumSet.allOf(Paper.class), used);
    }

    /// With `-Dguide.update=true` the page is written instead.
    @Test
    void theGuidesTableHasThesePapers() throws Exception {
        List<String> page = Files.readAllLines(GUIDE);
        List<String> expected = page.stream().map(PaperTest::withPapers).toList();
        if (Boolean.getBoolean("guide.update")) Files.writeString(GUIDE, String.join("\n", expected) + "\n");
        assertEquals(String.join("\n", expected), String.join("\n", Files.readAllLines(GUIDE)),
                "docs/guide/train.md has other papers: run this test with -Dguide.update=true");
        Set<String> listed = page.stream()
                .map(ROW::matcher)
                .filter(Matcher::matches)
                .flatMap(row -> methods(row.group(2)))
                .map(MethodName::option)
                .collect(Collectors.toSet());
        assertEquals(Stream.of(MethodName.values()).map(MethodName::option).collect(Collectors.toSet()), listed);
    }

    private static Stream<MethodName> methods(String cell) {
        return Stream.of(cell.replace("`", "").split(", ")).map(MethodName::ofOption);
    }

    private static String withPapers(String line) {
        Matcher row = ROW.matcher(line);
        if (!row.matches()) return line;
        Set<String> citations = new LinkedHashSet<>();
        methods(row.group(2)).forEach(method -> Paper.of(method).forEach(paper -> citations.add(paper.citation())));
        return row.group(1) + " " + String.join("; ", citations) + " |";
    }
}
