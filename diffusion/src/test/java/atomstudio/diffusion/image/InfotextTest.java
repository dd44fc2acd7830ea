package atomstudio.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class InfotextTest {
    private static Infotext infotext(String prompt, String negative) {
        return Infotext.of(prompt, negative)
                .withSteps(25)
                .withSampler("Euler a")
                .withScheduleType("Karras")
                .withGuidanceScale(7.5)
                .withSeed(42)
                .withSize(128, 96)
                .withModel("Small illustrated")
                .withAdapter("car, blue", 0.8)
                .withHash("Lora hashes", "car, blue", "0123456789abcdef")
                .withVersion("Atom Studio 0.1.0");
    }

    @Test
    void formatsA1111Infotext() {
        assertEquals(
                """
            a sks car in the snow <lora:car blue:0.8>
            Negative prompt: blurry
            Steps: 25, Sampler: Euler a, Schedule type: Karras, CFG scale: 7.5, Seed: 42, Size: 128x96, \
            Model: Small illustrated, Adapter: "car, blue", Adapter strength: 0.8, \
            Lora hashes: "car blue: 0123456789ab", Version: Atom Studio 0.1.0""",
                infotext("a sks car in the snow", "blurry").format());
    }

    @Test
    void parsesWhatItFormats() {
        for (String prompt : new String[] {"", "a car", "two\nlines, with: colons", "\"quoted\", \\ and 雪",
                "Steps: 3"}) {
            for (String negative : new String[] {"", "blurry", "ugly,\nbad"}) {
                assertEquals(infotext(prompt, negative), Infotext.parse(infotext(prompt, negative).format()));
            }
        }
    }

    @Test
    void adaptersHaveTagsInTheTextOnly() {
        Infotext text = Infotext.of("a car", "")
                .withSteps(2)
                .withSeed(1)
                .withSize(8, 8)
                .withAdapter("car", 0.8)
                .withAdapter("style", -1, 0.5)
                .withAdapter("<cat: toy>", 1)
                .withHash(Infotext.EMBEDDING_HASHES, "<cat: toy>", "0123456789abcdef");
        String formatted = text.format();
        assertEquals("a car <lora:car:0.8> <lora:style:0.5:-1>", formatted.lines().findFirst().orElseThrow());
        assertEquals(text, Infotext.parse(formatted));
        String moved = formatted.replace("a car <lora:car:0.8>", "<lora:car:0.8> a car");
        assertEquals("<lora:car:0.8> a car <lora:style:0.5:-1>", Infotext.parse(moved).prompt());
        String older = formatted.replace(" <lora:car:0.8> <lora:style:0.5:-1>", "");
        assertEquals(text, Infotext.parse(older));
    }

    @Test
    void quotesValuesWithSeparators() {
        for (String value : new String[] {"a, b", "a: b", "a\nb", "say \"hi\"", " padded ", "back\\slash, too"}) {
            Infotext text = infotext("a car", "").with("Model", value);
            assertEquals(value, Infotext.parse(text.format()).settings().get("Model"), value);
        }
    }

    @Test
    void parsesA1111Infotext() {
        Infotext text = Infotext.parse("""
            photo of a <lora:car:0.8> car,
             in the rain
            Negative prompt: cartoon
            Steps: 30, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 1, Size: 512x512, \
            Model hash: abcdef0123, Model: v1-5, Lora hashes: "car: 0123456789ab", Version: v1.10.1
            """);
        assertEquals("photo of a <lora:car:0.8> car,\nin the rain", text.prompt());
        assertEquals("cartoon", text.negativePrompt());
        assertEquals("DPM++ 2M", text.settings().get("Sampler"));
        assertEquals("car: 0123456789ab", text.settings().get("Lora hashes"));
        assertEquals(10, text.settings().size());
    }

    @Test
    void textWithoutSettingsIsPrompt() {
        assertEquals(new Infotext("a car\nin: the, rain", "", Map.of()), Infotext.parse("a car\nin: the, rain"));
    }

    @Test
    void promptWithColonsIsNotSettings() {
        for (String prompt : new String[] {"night: rain, mood: calm, light: neon",
                "Seed: pumpkin, Size: large, Steps: of stone, Sampler: a bird",
                "Sampler: a box, lid: open, inside: nothing"}) {
            assertEquals(Infotext.of(prompt, ""), Infotext.parse(prompt), prompt);
        }
    }

    @Test
    void ignoresLinesAfterSettings() {
        String settings = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 3, Size: 128x128, Version: v1.6.0";
        Infotext expected = Infotext.parse("a red car\nNegative prompt: blurry\n" + settings);
        assertEquals("20", expected.settings().get("Steps"));
        assertEquals(expected, Infotext.parse("a red car\nNegative prompt: blurry\n" + settings
                + "\n\nTemplate: a {red|blue} car\n\nNegative Template: blurry"));
    }

    /// The expected pairs are those of A1111's pattern in Python's `re`.
    @Test
    void pairsMatchA1111Pattern() {
        Map<String, Map<String, String>> expected = new LinkedHashMap<>();
        expected.put("Steps: 20, Model: \"a, b\", x y/z-1: \"un\\\"quoted\"",
                Map.of("Steps", "20", "Model", "a, b", "x y/z-1", "un\"quoted"));
        expected.put("(a) key: v, k: \"open, two: 2", Map.of("key", "v", "two", "2"));
        expected.put("ab: \"x\"y, cd: z", Map.of("ab", "\"x\"y", "cd", "z"));
        expected.put("a:b:cd: e", Map.of("cd", "e"));
        expected.put("empty:, ab:c:d", Map.of("empty", "", "ab", "c:d"));
        expected.forEach((line, pairs) -> assertEquals(pairs, InfotextLine.parse(line), line));
    }

    @Test
    void parsesLongTextsInLinearTime() {
        String[] parts = {"x", "a: \"", "a: \"x,", "a: b, ", "\\\\\"", ":", "ab:", "\"a\",", "\n", "Steps: 20, ",
                "a b-c/", "x: \"\\\"", " "};
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> {
            for (String before : new String[] {"", "Steps: \"", "key: "}) {
                for (String part : parts) {
                    Infotext text = Infotext.parse(before + part.repeat(1_000_000 / part.length()));
                    assertTrue(text.prompt().length() <= 1_000_010);
                }
            }
        });
        Infotext quoted = infotext("a car", "").with("Long", "letters, ".repeat(100_000));
        assertEquals(quoted, Infotext.parse(quoted.format()));
    }

    @Test
    void parsesRandomTexts() {
        Random random = new Random(4);
        String letters = "ab1 :,\"\\\n-/_.xéStepsSeed";
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder(i % 2 == 0 ? "" : "a\nSteps: 2, Seed: 3, Size: 8x8, ");
            for (int n = random.nextInt(60); n > 0; n--) text.append(letters.charAt(random.nextInt(letters.length())));
            Infotext read = Infotext.parse(text.toString());
            assertTrue(read.settings().isEmpty() || read.settings().size() >= 3, text.toString());
            assertTrue(read.prompt().length() + read.negativePrompt().length() <= text.length(), text.toString());
        }
    }

    @Test
    void seedsAreUnsigned() {
        assertEquals("18446744073709551615", Infotext.of("", "").withSeed(-1).settings().get("Seed"));
    }
}
