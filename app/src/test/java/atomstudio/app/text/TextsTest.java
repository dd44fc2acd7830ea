package atomstudio.app.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.MissingResourceException;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Every text that the sources use is in the bundle, every text of the bundle is used, and keys name their package.
class TextsTest {
    private static final Path MAIN = Path.of(System.getProperty("atomstudio.root")).resolve("app/src/main");
    private static final Path BUNDLE = MAIN.resolve("resources/atomstudio/app/text/texts.properties");
    private static final Pattern TEXT = Pattern.compile("\\btext\\(\\s*\"([a-z][\\w.-]*)\"");
    private static final Pattern COUNT = Pattern.compile("\\bcount\\(\\s*\"([a-z][\\w.-]*)\"");
    private static final Pattern OWN_TEXT = Pattern.compile("(?:new (?:Label|Button|CheckBox|RadioButton|ToggleButton|"
            + "Hyperlink|Tooltip|MenuItem|Menu|MenuButton|CardView|MutedLabelView|ActionButtonView|LabeledFieldView)"
            + "|setText|setAccessibleText|setPromptText)\\(\\s*\"[^\"]*(?:\\p{Lu}\\p{Ll}|\\p{L}\\p{L}+ )[^\"]*\"");
    private static final Pattern LITERAL_KEY = Pattern.compile("\"([a-z]+(?:\\.[\\w-]+)+)\"");

    private static final Pattern LITERAL = Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*\"");
    private static final Pattern WORD = Pattern.compile("(?<![\\p{L}.%\\\\-])\\p{L}{2,}");
    /// Patterns, log entries, and exceptions for programmers.
    private static final Pattern NO_TEXT = Pattern
            .compile("\\b(?:replaceAll|replaceFirst|matches|split|log\\.\\w+|IllegalArgumentException)\\(");
    /// Values that view models show.
    private static final Set<String> COMPOSING = Set.of("ImageSettings", "ImageBatch", "RunQueue", "MachineSharing",
            "GalleryImage", "Subject", "RunSummary");
    /// Prompts for the model, names of files and of settings in them.
    private static final Set<String> NO_WORDS = Set.of("\"a 3d penguin in the snow\"", "\"in the snow\"",
            "\"events.jsonl\"", "\"pictures\"", "\"subject\"", "\"sks\"", "\"adapter.safetensors\"",
            "\"Seed\"", "\"Model\"");

    @Test
    void everyKeyOfTheSourcesIsInTheBundle() throws IOException {
        Set<String> missing = new TreeSet<>();
        Properties bundle = bundle();
        for (String key : used().keySet()) if (!bundle.containsKey(key)) missing.add(key);
        assertEquals(Set.of(), missing);
    }

    @Test
    void everyTextIsUsed() throws IOException {
        Set<String> unused = new TreeSet<>(bundle().stringPropertyNames());
        unused.removeAll(used().keySet());
        unused.removeAll(literals());
        assertEquals(Set.of(), unused);
    }

    @Test
    void aKeyBeginsWithThePackageThatUsesIt() throws IOException {
        List<String> wrong = new ArrayList<>();
        used().forEach((key, file) -> {
            if (!key.substring(0, key.indexOf('.')).equals(file.getParent().getFileName().toString()))
                wrong.add(file.getFileName() + ": " + key);
        });
        assertEquals(List.of(), wrong);
    }

    /// Labels, buttons, menu items, tooltips and accessible texts.
    @Test
    void viewsHaveNoTextsOfTheirOwn() throws IOException {
        List<String> found = new ArrayList<>();
        for (Path file : sources()) {
            if (!file.getFileName().toString().endsWith("View.java")) continue;
            Matcher literal = OWN_TEXT.matcher(Files.readString(file));
            while (literal.find()) found.add(file.getFileName() + ": " + literal.group());
        }
        assertEquals(List.of(), found);
    }

    /// Sentences and words that a view model, or a value that it shows, composes.
    @Test
    void viewModelsHaveNoTextsOfTheirOwn() throws IOException {
        List<String> found = new ArrayList<>();
        for (Path file : sources()) {
            String name = file.getFileName().toString().replace(".java", "");
            if (!name.endsWith("ViewModel") && !COMPOSING.contains(name)) continue;
            for (String line : Files.readAllLines(file))
                found.addAll(ownWords(line).map(w -> name + ": " + w).toList());
        }
        assertEquals(List.of(), found);
    }

    @Test
    void ownWordsOfALineAreFound() {
        assertEquals(List.of("\" · step \"", "\" of \""),
                ownWords("status.set(\" · step \" + step + \" of \" + steps + \" · \");").toList());
        assertEquals(List.of("\"queued\""), ownWords("return \"queued\";").toList());
        assertEquals(List.of(),
                ownWords("text(\"train.start\") + \".png\" + \"%s\"; // a \"comment here\"").toList());
    }

    /// Literals with a word that are no keys, file endings, patterns, or messages of programming errors.
    private static Stream<String> ownWords(String line) {
        String code = line.replaceFirst("(^|\\s)//.*", "");
        if (NO_TEXT.matcher(code).find()) return Stream.empty();
        return LITERAL.matcher(code)
                .results()
                .map(result -> result.group())
                .filter(literal -> WORD.matcher(literal).find() && !LITERAL_KEY.matcher(literal).matches()
                        && !NO_WORDS.contains(literal));
    }

    @Test
    void noKeyStandsTwice() throws IOException {
        List<String> keys = Files.readAllLines(BUNDLE)
                .stream()
                .filter(line -> line.matches("[a-z][\\w.-]* ?=.*"))
                .map(line -> line.substring(0, line.indexOf('=')).strip())
                .toList();
        Set<String> twice = new TreeSet<>();
        Set<String> seen = new TreeSet<>();
        for (String key : keys) if (!seen.add(key)) twice.add(key);
        assertEquals(Set.of(), twice);
    }

    @Test
    void anUnknownKeyIsAnError() {
        assertThrows(MissingResourceException.class, () -> Texts.text("text.unknown"));
    }

    /// Key → a file that uses it.
    private static Map<String, Path> used() throws IOException {
        Map<String, Path> used = new HashMap<>();
        for (Path file : sources()) {
            String source = Files.readString(file);
            if (!source.contains("atomstudio.app.text.Texts")) continue;
            for (Matcher text = TEXT.matcher(source); text.find();) used.put(text.group(1), file);
            for (Matcher count = COUNT.matcher(source); count.find();) {
                used.put(count.group(1) + ".one", file);
                used.put(count.group(1) + ".other", file);
            }
        }
        return used;
    }

    /// Keys that reach [Texts] through a parameter, as a constant of an enum does.
    private static Set<String> literals() throws IOException {
        Set<String> literals = new TreeSet<>();
        for (Path file : sources()) {
            Matcher literal = LITERAL_KEY.matcher(Files.readString(file));
            while (literal.find()) literals.add(literal.group(1));
        }
        return literals;
    }

    private static List<Path> sources() throws IOException {
        try (Stream<Path> files = Files.walk(MAIN.resolve("java"))) {
            List<Path> sources = files.filter(file -> file.toString().endsWith(".java")).toList();
            assertTrue(sources.size() > 100, MAIN.toString());
            return sources;
        }
    }

    private static Properties bundle() throws IOException {
        Properties bundle = new Properties();
        try (Reader reader = Files.newBufferedReader(BUNDLE)) {
            bundle.load(reader);
        }
        return bundle;
    }
}
