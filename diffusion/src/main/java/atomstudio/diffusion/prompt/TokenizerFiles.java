package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/// Reads a tokenizer's folder: `vocab.json` and `merges.txt` with their settings; or, where there is no vocabulary, the one
/// `.txt.gz` of merges that CLIP was published with.
final class TokenizerFiles {
    private static final int CLIP_MERGES = 49152 - 256 - 2;
    private static final int LONGEST_LINE = 1 << 16;

    private TokenizerFiles() {}

    static Tokenizer open(Path folder) throws Failure {
        if (!Files.isDirectory(folder)) throw new Failure.Unreadable(folder + ": expected a tokenizer's folder, found " + (Files.exists(folder) ? "a file" : "nothing"));
        try {
            return Files.isRegularFile(folder.resolve("vocab.json")) ? vocabularyAndMerges(folder) : published(folder);
        } catch (IOException | JsonParseException | IllegalStateException | UnsupportedOperationException | NumberFormatException e) {
            throw new Failure.Unreadable(folder + ": the tokenizer cannot be read: " + e.getMessage(), e);
        }
    }

    private static Tokenizer vocabularyAndMerges(Path folder) throws Failure, IOException {
        Map<String, Integer> vocabulary = new HashMap<>();
        for (Map.Entry<String, JsonElement> entry : json(folder.resolve("vocab.json")).entrySet()) {
            vocabulary.put(entry.getKey(), entry.getValue().getAsBigDecimal().intValueExact());
        }
        Path merges = folder.resolve("merges.txt");
        if (!Files.isRegularFile(merges)) throw new Failure.Unreadable(merges + ": expected the merges that belong to vocab.json, found nothing");
        JsonObject settings = json(folder.resolve("tokenizer_config.json"));
        if (!settings.has("added_tokens_decoder")) {
            json(folder.resolve("special_tokens_map.json")).entrySet().forEach(entry -> settings.add(entry.getKey(), entry.getValue()));
        }
        try (InputStream stream = Files.newInputStream(merges)) {
            return tokenizer(new TokenizerSettings(folder.toString(), settings, vocabulary), lines(stream, Integer.MAX_VALUE));
        }
    }

    private static Tokenizer published(Path folder) throws Failure, IOException {
        List<Path> found;
        try (Stream<Path> files = Files.list(folder)) {
            found = files.filter(file -> file.toString().endsWith(".txt.gz")).sorted().toList();
        }
        if (found.size() != 1) {
            throw new Failure.Unreadable(folder + ": expected vocab.json and merges.txt, or one .txt.gz of merges, found no vocab.json and " + found.size() + " .txt.gz");
        }
        try (InputStream stream = new GZIPInputStream(Files.newInputStream(found.getFirst()))) {
            List<String> merges = lines(stream, CLIP_MERGES);
            return tokenizer(new TokenizerSettings(found.getFirst().toString(), new JsonObject(), vocabulary(merges)), merges);
        }
    }

    private static JsonObject json(Path file) throws IOException {
        if (!Files.isRegularFile(file)) return new JsonObject();
        try (Reader reader = Files.newBufferedReader(file)) {
            return JsonParser.parseReader(reader).getAsJsonObject();
        }
    }

    /// The merges, one a line, after the line that names the format's version.
    private static List<String> lines(InputStream stream, int most) throws IOException {
        List<String> merges = new ArrayList<>();
        BufferedReader reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
        String line = reader.readLine();
        if (line != null && line.contains("#version")) line = reader.readLine();
        for (; line != null && merges.size() < most; line = reader.readLine()) {
            if (line.length() > LONGEST_LINE) throw new IOException("merge " + (merges.size() + 1) + " is " + line.length() + " characters long");
            if (!line.isEmpty()) merges.add(line);
        }
        return merges;
    }

    /// CLIP's own order: the letters of all bytes, the same at a word's end, what each merge makes, start and stop.
    private static Map<String, Integer> vocabulary(List<String> merges) {
        List<String> tokens = new ArrayList<>();
        for (int value = 0; value < 256; value++) tokens.add(Character.toString(BytePairs.letter(value)));
        tokens.sort(null);
        for (int letter = 0; letter < 256; letter++) tokens.add(tokens.get(letter) + BytePairs.END);
        for (String merge : merges) tokens.add(merge.replace(" ", ""));
        tokens.addAll(List.of(TokenizerSettings.START, TokenizerSettings.STOP));
        Map<String, Integer> vocabulary = new HashMap<>();
        for (int id = 0; id < tokens.size(); id++) vocabulary.put(tokens.get(id), id);
        return vocabulary;
    }

    private static Tokenizer tokenizer(TokenizerSettings settings, List<String> merges) throws Failure {
        Map<String, Integer> vocabulary = settings.vocabulary();
        Map<Long, BytePairs.Merge> ranked = new HashMap<>();
        for (int rank = 0; rank < merges.size(); rank++) {
            String[] parts = merges.get(rank).split(" ", -1);
            Integer left = vocabulary.get(parts[0]);
            Integer right = vocabulary.get(parts[parts.length - 1]);
            Integer joined = vocabulary.get(String.join("", parts));
            if (parts.length != 2 || left == null || right == null || joined == null) {
                throw new Failure.Unreadable(settings.where() + ": merge " + (rank + 1) + ": expected two tokens of the vocabulary that join to a third, found \"" + merges.get(rank) + "\"");
            }
            ranked.put(BytePairs.pair(left, right), new BytePairs.Merge(rank, joined));
        }
        return new Tokenizer(new BytePairs(vocabulary, settings.unknown(), ranked), settings.specials(), settings.frame());
    }
}
