package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/// Reads a tokenizer's folder: `vocab.json` and `merges.txt` with their settings; `tokenizer.json`, in which newer libraries keep both; or, where
/// there is no vocabulary, the one `.txt.gz` of merges that CLIP was published with.
final class TokenizerFiles {
    static final String VOCABULARY = "vocab.json";
    static final String MERGES = "merges.txt";
    static final String WHOLE = "tokenizer.json";
    static final String PUBLISHED = ".txt.gz";
    private static final int CLIP_MERGES = 49152 - 256 - 2;
    private static final int LONGEST_LINE = 1 << 10;
    private static final int MOST_MERGES = 1 << 20;
    private static final int LARGEST_ID = 1 << 24;

    private TokenizerFiles() {}

    static Tokenizer open(Path folder) throws Failure {
        if (!Files.isDirectory(folder)) throw new Failure.Unreadable(folder + ": expected a tokenizer's folder, found " + (Files.exists(folder) ? "a file" : "nothing"));
        if (Files.isRegularFile(folder.resolve(VOCABULARY))) return vocabularyAndMerges(folder);
        return Files.isRegularFile(folder.resolve(WHOLE)) ? whole(folder) : published(folder);
    }

    private static Tokenizer vocabularyAndMerges(Path folder) throws Failure {
        Map<String, Integer> vocabulary = vocabulary(Json.read(folder.resolve(VOCABULARY)));
        Path merges = folder.resolve(MERGES);
        if (!Files.isRegularFile(merges)) throw new Failure.Unreadable(merges + ": expected the merges that belong to vocab.json, found nothing");
        JsonObject settings = settings(folder, "tokenizer_config.json");
        if (!settings.has("added_tokens_decoder")) {
            settings(folder, "special_tokens_map.json").entrySet().forEach(entry -> settings.add(entry.getKey(), entry.getValue()));
        }
        return tokenizer(new TokenizerSettings(folder.toString(), settings, vocabulary), merges, lines(merges, MOST_MERGES));
    }

    /// Source: huggingface/tokenizers, the serialisation of a BPE model and of added tokens.
    private static Tokenizer whole(Path folder) throws Failure {
        Path file = folder.resolve(WHOLE);
        Json json = Json.read(file);
        Json model = json.object("model");
        String type = model.find("type", "a text", Json::string).orElse("BPE");
        if (!type.equals("BPE")) throw new Failure.Incompatible(file + ": model: type: expected BPE, as of CLIP, found " + SafeText.of(type));
        List<String> pairs = model.get("merges", "a list of pairs of tokens", list -> list.getAsJsonArray().asList().stream().map(TokenizerFiles::pair).toList());
        JsonObject settings = settings(folder, "tokenizer_config.json");
        if (!settings.has("added_tokens_decoder") && json.has("added_tokens")) {
            JsonObject added = new JsonObject();
            for (Json token : json.objects("added_tokens")) added.add(Integer.toString(token.integer("id", 0, LARGEST_ID)), token.object());
            settings.add("added_tokens_decoder", added);
        }
        return tokenizer(new TokenizerSettings(folder.toString(), settings, vocabulary(model.object("vocab"))), file, pairs);
    }

    /// Written as a list of two, or by older versions with a blank between them.
    private static String pair(JsonElement merge) {
        if (!merge.isJsonArray()) return Json.string(merge);
        if (merge.getAsJsonArray().size() != 2) throw new IllegalStateException("not two tokens");
        return Json.string(merge.getAsJsonArray().get(0)) + " " + Json.string(merge.getAsJsonArray().get(1));
    }

    private static Tokenizer published(Path folder) throws Failure {
        List<Path> found;
        try (Stream<Path> files = Files.list(folder)) {
            found = files.filter(file -> file.toString().endsWith(PUBLISHED)).sorted().toList();
        } catch (IOException e) {
            throw new Failure.Unreadable(folder + ": cannot be listed: " + e.getMessage(), e);
        }
        if (found.size() != 1) {
            throw new Failure.Unreadable(folder + ": expected vocab.json and merges.txt, tokenizer.json, or one .txt.gz of merges, found no vocabulary and " + found.size() + " .txt.gz");
        }
        Path file = found.getFirst();
        List<String> merges = lines(file, CLIP_MERGES);
        return tokenizer(new TokenizerSettings(file.toString(), new JsonObject(), vocabulary(merges)), file, merges);
    }

    private static JsonObject settings(Path folder, String name) throws Failure {
        Path file = folder.resolve(name);
        return Files.isRegularFile(file) ? Json.read(file).object() : new JsonObject();
    }

    private static Map<String, Integer> vocabulary(Json json) throws Failure {
        Map<String, Integer> vocabulary = new HashMap<>();
        for (String token : json.object().keySet()) {
            int id = json.get(token, "an id from 0 to " + LARGEST_ID, element -> Math.toIntExact(Json.integer(element)));
            if (id < 0 || id > LARGEST_ID) throw new Failure.Unreadable(json.source() + ": " + SafeText.of(token) + ": expected an id from 0 to " + LARGEST_ID + ", found " + id);
            vocabulary.put(token, id);
        }
        return vocabulary;
    }

    /// The merges, one a line, after the line that names the format's version; unpacked where the file is packed.
    private static List<String> lines(Path file, int most) throws Failure {
        try (InputStream stream = Files.newInputStream(file);
                InputStream unpacked = file.toString().endsWith(PUBLISHED) ? new GZIPInputStream(stream) : stream;
                Reader reader = new BufferedReader(new InputStreamReader(unpacked, StandardCharsets.UTF_8))) {
            List<String> merges = new ArrayList<>();
            String line = line(reader);
            if (line != null && line.contains("#version")) line = line(reader);
            for (; line != null && merges.size() < most; line = line(reader)) {
                if (!line.isEmpty()) merges.add(line);
            }
            return merges;
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": the merges cannot be read: " + e.getMessage() + "; get the file again", e);
        }
    }

    /// The next line, or null at the end. A few bytes can unpack to one line of gigabytes, which is never read to its end.
    private static @Nullable String line(Reader reader) throws IOException {
        StringBuilder line = new StringBuilder();
        int letter = reader.read();
        if (letter < 0) return null;
        for (; letter >= 0 && letter != '\n'; letter = reader.read()) {
            if (line.length() == LONGEST_LINE) throw new IOException("a line is longer than " + LONGEST_LINE + " letters");
            line.append((char) letter);
        }
        if (!line.isEmpty() && line.charAt(line.length() - 1) == '\r') line.setLength(line.length() - 1);
        return line.toString();
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

    private static Tokenizer tokenizer(TokenizerSettings settings, Path file, List<String> merges) throws Failure {
        Map<String, Integer> vocabulary = settings.vocabulary();
        Map<Long, BytePairs.Merge> ranked = new HashMap<>();
        Set<String> made = new HashSet<>();
        for (int rank = 0; rank < merges.size(); rank++) {
            String[] parts = merges.get(rank).split(" ", -1);
            Integer left = vocabulary.get(parts[0]);
            Integer right = vocabulary.get(parts[parts.length - 1]);
            Integer joined = vocabulary.get(String.join("", parts));
            if (parts.length != 2 || left == null || right == null || joined == null) {
                throw new Failure.Unreadable(file + ": merge " + (rank + 1) + ": expected two tokens of the vocabulary that join to a third, found \"" + SafeText.of(merges.get(rank)) + "\"");
            }
            ranked.put(BytePairs.pair(left, right), new BytePairs.Merge(rank, joined));
            made.add(String.join("", parts));
        }
        SpecialTokens specials = settings.specials();
        requireAllMade(file, vocabulary.keySet(), made, specials);
        return new Tokenizer(new BytePairs(vocabulary, settings.unknown(), ranked), specials, settings.frame());
    }

    /// A list of merges that was cut short still reads every prompt, letter by letter, and other pictures come of it.
    private static void requireAllMade(Path file, Set<String> tokens, Set<String> made, SpecialTokens specials) throws Failure {
        List<String> unmade = tokens.stream().filter(token -> !made.contains(token) && !specials.has(token) && !letter(token)).sorted().toList();
        if (unmade.isEmpty()) return;
        throw new Failure.Unreadable(file + ": expected a merge for every token of the vocabulary of " + tokens.size() + ", found none for " + unmade.size() + " of them, such as \"" + SafeText.of(unmade.getFirst())
                + "\"; the merges were cut short or belong to another vocabulary: get both files again");
    }

    private static boolean letter(String token) {
        String text = token.endsWith(BytePairs.END) ? token.substring(0, token.length() - BytePairs.END.length()) : token;
        return text.codePointCount(0, text.length()) <= 1;
    }
}
