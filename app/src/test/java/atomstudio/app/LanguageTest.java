package atomstudio.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Comments, messages, help and window texts use the field's terms: words that only this project used are rejected.
class LanguageTest {
    /// What must not appear, and what to write instead.
    private record Banned(Pattern pattern, String instead) {}

    private static final List<Banned> BANNED = List.of(
            banned("pictures?", "photo (training), image (generated), preview or mask"),
            banned("numbers? (tuned|trained)|tuned numbers?", "trainable parameters"),
            banned("(left|are|were|no) (the |no )?numbers", "NaN or infinity"),
            banned("heed(s|ed)?|anew|whatever|somebody|nobody|beforehand|likewise", "plain English"),
            banned("wears?|wearing|worn", "uses an adapter; adapters in use"),
            banned("walks?|walked", "samples, iterates"),
            banned("asks?|asked|asking", "requests, needs, passes"),
            banned("says?|said|tells?|told", "states, shows, reports, declares"),
            banned("hears?|heard|speaks?|spoken", "listens, uses"),
            banned("carriers?", "backend"),
            banned("rooms?|doors?|house", "package, module, entry point"),
            banned("negative prompt has no say", "has no effect"));

    /// String literals, text blocks and comments; code is checked by its readers.
    private static final Pattern TEXT = Pattern.compile("\"\"\"(?s:.*?)\"\"\"|\"(?:\\\\.|[^\"\\\\\n])*\"|///?[^\n]*");

    /// A line of the bundle of window texts.
    private static final Pattern BUNDLE_LINE = Pattern.compile("(?m)^[a-z][\\w.-]*=.*$");

    /// Names in files that are read and written as they are, A1111's terms, and a prompt template of the field.
    private static final List<String> ALLOWED = List.of("pictures/", "\"Source picture\"", "\"Whole picture\"",
            "\"numbers tuned\"", "\"picture size\"", "a picture of a {}");

    /// Keys of files and of other programs, which stay as they are.
    private static final Pattern KEY = Pattern.compile("\"[\\w./{}%-]*\"|`[^`]*`");

    @Test
    void sourcesUseTheFieldsTerms() throws IOException {
        Path root = Path.of(System.getProperty("atomstudio.root"));
        List<String> found = new ArrayList<>();
        for (String module : List.of("diffusion", "tuning", "app", "packaging")) {
            try (Stream<Path> files = Files.walk(root.resolve(module).resolve("src/main"))) {
                for (Path file : files.filter(LanguageTest::isText).toList()) check(root, file, found);
            }
        }
        assertEquals(List.of(), found);
    }

    @Test
    void bannedWordsAreFound() {
        List<String> found = new ArrayList<>();
        check("X.java", "/// What the network said of a picture.\nString s = \"no pictures\"; Picture kept;", found);
        assertEquals(3, found.size(), found.toString());
        assertTrue(found.getFirst().startsWith("X.java:1: "), found.toString());
    }

    private static Banned banned(String words, String instead) {
        return new Banned(Pattern.compile("\\b(" + words + ")\\b", Pattern.CASE_INSENSITIVE), instead);
    }

    private static boolean isText(Path file) {
        return file.toString().matches(".*\\.(java|jte)|.*/texts\\.properties");
    }

    private static void check(Path root, Path file, List<String> found) throws IOException {
        check(root.relativize(file).toString(), Files.readString(file), found);
    }

    private static void check(String name, String source, List<String> found) {
        Matcher text = (name.endsWith(".properties") ? BUNDLE_LINE : TEXT).matcher(source);
        while (text.find()) {
            if (KEY.matcher(text.group()).matches()) continue;
            String prose = KEY.matcher(text.group()).replaceAll("");
            for (String allowed : ALLOWED) prose = prose.replace(allowed, "");
            for (Banned banned : BANNED) {
                Matcher match = banned.pattern.matcher(prose);
                while (match.find()) {
                    long line = source.substring(0, text.start()).lines().count();
                    found.add(name + ":" + Math.max(1, line) + ": \"" + match.group() + "\": write " + banned.instead);
                }
            }
        }
    }
}
