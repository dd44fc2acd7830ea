package atomstudio.diffusion.prompt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerTest {
    private static final Path GOLDENS = Shared.root().resolve("diffusion/src/test/resources/goldens/tokenizer");

    private static Tokenizer plain() throws Failure {
        return Tokenizer.open(GOLDENS.resolve("plain"));
    }

    @Test
    void maxLengthIsReadFromConfig() throws Exception {
        assertEquals(16, plain().maxLength());
        assertEquals(16, plain().encodePadded("a dog").ids().length);
    }

    @Test
    void truncatedTextIsOriginalText() throws Exception {
        Tokenizer tokenizer = plain();
        assertEquals(Optional.empty(), tokenizer.encodePadded("a dog ".repeat(7)).truncatedText());
        assertEquals(Optional.of("And CAFE\u0301"),
                tokenizer.encodePadded("a dog ".repeat(7) + " And CAFE\u0301 ").truncatedText());
        assertEquals(Optional.of("<|endoftext|> x"),
                tokenizer.encodePadded("a dog ".repeat(7) + "<|endoftext|> x").truncatedText());
    }

    @Test
    void truncatedTextStartsInsideComposedWord() throws Exception {
        String text = "e\u0301".repeat(7) + "e\u0301!";
        Tokenizer.PaddedTokens tokens = plain().encodePadded(text);
        int[] all = plain().encode(text);
        assertArrayEquals(Arrays.copyOf(all, 15), Arrays.copyOf(tokens.ids(), 15));
        assertTrue(all.length > 16);
        assertEquals(Optional.of("e\u0301!"), tokens.truncatedText());
    }

    @Test
    void emptyPromptIsStartStopAndPadding() throws Exception {
        int[] startAndStop = plain().encode("");
        int[] expected = new int[16];
        Arrays.fill(expected, startAndStop[1]);
        expected[0] = startAndStop[0];
        assertArrayEquals(expected, plain().encodePadded("").ids());
    }

    @Test
    void addedWordMatchesAnyCaseAndNextToPunctuation() throws Exception {
        Tokenizer tokenizer = plain().withWord("Sks", List.of(5000, 5001));
        int[] dog = contentIds(plain().encode("a dog"));
        assertArrayEquals(concatenated(dog, 5000, 5001), contentIds(tokenizer.encode("a dog sks")));
        assertArrayEquals(concatenated(dog, 5000, 5001), contentIds(tokenizer.encode("a dog SKS")));
        assertArrayEquals(concatenated(new int[] {5000, 5001}, contentIds(plain().encode(", a dog"))),
                contentIds(tokenizer.encode("sks, a dog")));
        assertArrayEquals(concatenated(new int[] {5000, 5001}, contentIds(plain().encode("'s dog"))),
                contentIds(tokenizer.encode("sks's dog")));
        assertArrayEquals(
                concatenated(contentIds(plain().encode("a (")),
                        concatenated(new int[] {5000, 5001}, contentIds(plain().encode(") dog")))),
                contentIds(tokenizer.encode("a (sks) dog")));
    }

    @Test
    void addedWordDoesNotMatchInsideAnotherWord() throws Exception {
        Tokenizer tokenizer = plain().withWord("sks", List.of(5000));
        for (String text : List.of("sksy", "asks", "sks1", "1sks", "s ks"))
            assertArrayEquals(plain().encode(text), tokenizer.encode(text), text);
        assertArrayEquals(new int[] {5001, 5001},
                contentIds(plain().withWord("<cat-toy>", List.of(5001)).encode("<cat-toy><Cat-Toy>")));
    }

    @Test
    void addedWordsCountTowardsTheLimit() throws Exception {
        Tokenizer tokenizer = plain().withWord("sks", List.of(5000, 5001)).withWord("qwe", List.of(5002));
        assertArrayEquals(new int[] {5002, 5000, 5001, 5002}, contentIds(tokenizer.encode("qwe sks qwe")));
        assertEquals(Optional.empty(), tokenizer.encodePadded("sks ".repeat(7)).truncatedText());
        Tokenizer.PaddedTokens truncated = tokenizer.encodePadded("sks ".repeat(7) + "QWE and more");
        assertEquals(Optional.of("QWE and more"), truncated.truncatedText());
        assertEquals(16, truncated.ids().length);
        assertEquals(5001, truncated.ids()[14]);
    }

    @Test
    void rejectsInvalidAddedWords() throws Exception {
        Tokenizer tokenizer = plain().withWord("sks", List.of(5000));
        assertTrue(
                assertThrows(IllegalArgumentException.class, () -> tokenizer.withWord("SKS", List.of(1))).getMessage()
                        .contains("SKS"));
        assertThrows(IllegalArgumentException.class, () -> tokenizer.withWord("two words", List.of(1)));
        assertThrows(IllegalArgumentException.class, () -> tokenizer.withWord("", List.of(1)));
        assertThrows(IllegalArgumentException.class, () -> tokenizer.withWord("qwe", List.of()));
        assertThrows(IllegalArgumentException.class, () -> tokenizer.withWord("<|endoftext|>", List.of(1)));
    }

    private static int[] contentIds(int[] ids) {
        return Arrays.copyOfRange(ids, 1, ids.length - 1);
    }

    private static int[] concatenated(int[] first, int... second) {
        int[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    @Test
    void encodesAMegabyteInSeconds() throws Exception {
        Tokenizer tokenizer = plain();
        for (String text : List.of("a".repeat(1 << 20), "a photo of a dog, ".repeat(1 << 16), "'".repeat(1 << 20),
                "\u0301".repeat(1 << 19), "e\u0301\u0323".repeat(1 << 17), "<|".repeat(1 << 19),
                "a" + "\u0301\u0323".repeat(1 << 18))) {
            int[] ids = assertTimeoutPreemptively(Duration.ofSeconds(30), () -> tokenizer.encode(text));
            Tokenizer.PaddedTokens tokens = assertTimeoutPreemptively(Duration.ofSeconds(30),
                    () -> tokenizer.encodePadded(text));
            assertArrayEquals(Arrays.copyOf(ids, 15), Arrays.copyOf(tokens.ids(), 15));
            assertTrue(tokens.truncatedText().orElseThrow().length() > 1 << 16);
        }
    }

    @Test
    void canonicalOrderingMatchesJavaNormalizer() {
        Random random = new Random(2);
        for (int round = 0; round < 300; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 40; i++)
                text.appendCodePoint(random.nextInt(8) == 0 ? 'a' + random.nextInt(26)
                        : round % 2 == 0 ? 0x300 + random.nextInt(0x70) : 0x300 + random.nextInt(0x1D00));
            String expected = Normalizer.normalize(text, Normalizer.Form.NFC);
            assertEquals(expected, Normalizer.normalize(ReferenceUnicode.CanonicalOrdering.apply(text.toString()),
                    Normalizer.Form.NFC));
            assertEquals(Normalizer.normalize(text, Normalizer.Form.NFD),
                    ReferenceUnicode.CanonicalOrdering.apply(text.toString()));
        }
    }

    @Test
    void rejectsFolderWithoutVocabulary(@TempDir Path folder) {
        assertTrue(assertThrows(Failure.Unreadable.class, () -> Tokenizer.open(folder)).getMessage()
                .contains("expected vocab.json"));
        assertTrue(assertThrows(Failure.Unreadable.class, () -> Tokenizer.open(folder.resolve("none"))).getMessage()
                .contains("found nothing"));
    }

    @Test
    void rejectsMergeOfUnknownTokens(@TempDir Path folder) throws IOException {
        Files.copy(GOLDENS.resolve("plain/vocab.json"), folder.resolve("vocab.json"));
        Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\na zz\n");
        assertTrue(
                assertThrows(Failure.Unreadable.class, () -> Tokenizer.open(folder)).getMessage().contains("merge 1"));
    }

    @Test
    void rejectsUnknownSpecialToken(@TempDir Path folder) throws IOException {
        for (String file : List.of("vocab.json", "merges.txt"))
            Files.copy(GOLDENS.resolve("plain").resolve(file), folder.resolve(file));
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"pad_token\": \"<pad>\"}");
        assertTrue(assertThrows(Failure.Unreadable.class, () -> Tokenizer.open(folder)).getMessage().contains("<pad>"));
    }

    @Test
    void rejectsInvalidVocabularyJson(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("vocab.json"), "{\"a\": 1");
        Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\n");
        assertThrows(Failure.Unreadable.class, () -> Tokenizer.open(folder));
    }

    @Test
    void rejectsTruncatedMerges(@TempDir Path folder) throws IOException {
        Files.copy(GOLDENS.resolve("plain/vocab.json"), folder.resolve("vocab.json"));
        List<String> merges = Files.readAllLines(GOLDENS.resolve("plain/merges.txt"));
        for (int lineCount : new int[] {0, 1, merges.size() / 2, merges.size() - 1}) {
            Files.write(folder.resolve("merges.txt"), merges.subList(0, lineCount));
            String message = assertThrows(Failure.Unreadable.class, () -> Tokenizer.open(folder), lineCount + " lines")
                    .getMessage();
            assertTrue(message.startsWith(folder.resolve("merges.txt") + ": expected a merge for every token"),
                    message);
        }
    }

    @Test
    void tokenizerJsonEqualsVocabularyAndMerges(@TempDir Path folder) throws Exception {
        String vocabulary = Files.readString(GOLDENS.resolve("plain/vocab.json"));
        List<String> merges = Files.readAllLines(GOLDENS.resolve("plain/merges.txt"));
        String pairs = merges.subList(1, merges.size())
                .stream()
                .map(merge -> merge.replace("\\", "\\\\").replace("\"", "\\\"").split(" "))
                .map(two -> "[\"" + two[0] + "\",\"" + two[1] + "\"]")
                .collect(Collectors.joining(","));
        Files.writeString(folder.resolve("tokenizer.json"),
                "{\"added_tokens\":[],\"model\":{\"type\":\"BPE\",\"vocab\":" + vocabulary + ",\"merges\":[" + pairs
                        + "]}}");
        for (String file : List.of("tokenizer_config.json", "special_tokens_map.json"))
            if (Files.exists(GOLDENS.resolve("plain").resolve(file)))
                Files.copy(GOLDENS.resolve("plain").resolve(file), folder.resolve(file));
        Tokenizer combined = Tokenizer.open(folder);
        for (String prompt : List.of("a red fox, in the snow", "naïve café 12.5%", ""))
            assertArrayEquals(plain().encode(prompt), combined.encode(prompt), prompt);
        Files.writeString(folder.resolve("tokenizer.json"), "{\"model\":{\"type\":\"Unigram\",\"vocab\":[]}}");
        assertTrue(assertThrows(Failure.Incompatible.class, () -> Tokenizer.open(folder)).getMessage()
                .contains("expected BPE"));
    }

    @Test
    void tokenizerJsonOfTransformers5EqualsDefaultModel() throws Exception {
        Tokenizer embedded = Tokenizer.open(Shared.root().resolve("assets/default-model/tokenizer"));
        Tokenizer combined = Tokenizer.open(Shared.file("cases/tokenizer-json-only"));
        for (String prompt : List.of("a red car on grass", "two owls <|endoftext|> x", "ÀÉ"))
            assertArrayEquals(embedded.encode(prompt), combined.encode(prompt), prompt);
    }

    @Test
    void limitsLineLengthOfGzipFile(@TempDir Path folder) throws IOException {
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(folder.resolve("bomb.txt.gz")))) {
            byte[] letters = new byte[1 << 20];
            Arrays.fill(letters, (byte) 'a');
            for (int i = 0; i < 256; i++) out.write(letters);
        }
        String message = assertTimeoutPreemptively(Duration.ofSeconds(5),
                () -> assertThrows(Failure.Unreadable.class, () -> Tokenizer.open(folder))).getMessage();
        assertTrue(message.contains("a line is longer than"), message);
    }

    @Test
    void messagesNameInvalidConfigKey(@TempDir Path folder) throws IOException {
        for (String file : List.of("vocab.json", "merges.txt"))
            Files.copy(GOLDENS.resolve("plain").resolve(file), folder.resolve(file));
        for (String settings : List.of("{\"bos_token\": {}}", "{\"bos_token\": [1]}", "{\"bos_token\": 7}",
                "{\"bos_token\": {\"content\": \"a\", \"lstrip\": \"no\"}}", "{\"bos_token\": \"a\\u001b[2J\"}")) {
            Files.writeString(folder.resolve("tokenizer_config.json"), settings);
            String message = assertThrows(Failure.Unreadable.class, () -> Tokenizer.open(folder), settings)
                    .getMessage();
            assertTrue(message.startsWith(folder.toString())
                    && (message.contains("bos_token") || message.contains("a\\u001b[2J")), message);
        }
        for (String settings : List.of("{\"model_max_length\": \"long\"}", "{\"model_max_length\": []}",
                "{\"model_max_length\": -1}", "{\"model_max_length\": NaN}")) {
            Files.writeString(folder.resolve("tokenizer_config.json"), settings);
            assertTrue(assertThrows(Failure.Unreadable.class, () -> Tokenizer.open(folder), settings).getMessage()
                    .contains("model_max_length"));
        }
        for (String settings : List.of("{\"added_tokens_decoder\": []}", "{\"added_tokens_decoder\": {\"x\": {}}}",
                "{\"added_tokens_decoder\": {\"1\": {}}}", "{\"added_tokens_decoder\": {\"99999999999\": \"a\"}}")) {
            Files.writeString(folder.resolve("tokenizer_config.json"), settings);
            assertTrue(assertThrows(Failure.Unreadable.class, () -> Tokenizer.open(folder), settings).getMessage()
                    .contains("added_tokens_decoder"));
        }
        for (String vocabulary : List.of("{\"a\": 1.5}", "{\"a\": -1}", "{\"a\": \"1\"}", "{\"a\": []}",
                "{\"a\": 1e99}", "{\"a\": null}", "[]", "")) {
            Files.writeString(folder.resolve("vocab.json"), vocabulary);
            assertTrue(assertThrows(Failure.Unreadable.class, () -> Tokenizer.open(folder), vocabulary).getMessage()
                    .startsWith(folder.resolve("vocab.json").toString()));
        }
    }
}
