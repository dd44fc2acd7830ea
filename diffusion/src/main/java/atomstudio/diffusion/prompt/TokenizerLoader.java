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

/// Loads a tokenizer folder: `vocab.json` and `merges.txt` with their configs, the combined `tokenizer.json` of newer
/// libraries, or OpenAI's `.txt.gz` of merges, whose vocabulary is implied.
final class TokenizerLoader {
    static final String VOCABULARY = "vocab.json";
    static final String MERGES = "merges.txt";
    static final String TOKENIZER_JSON = "tokenizer.json";
    static final String OPENAI_EXTENSION = ".txt.gz";
    private static final int CLIP_MERGES = 49152 - 256 - 2;
    private static final int MAX_LINE_LENGTH = 1 << 10;
    private static final int MAX_MERGES = 1 << 20;
    private static final int MAX_ID = 1 << 24;

    private TokenizerLoader() {}

    static Tokenizer load(Path folder) throws Failure {
        if (!Files.isDirectory(folder))
            throw new Failure.Unreadable(
                    folder + ": expected a tokenizer folder, found " + (Files.exists(folder) ? "a file" : "nothing"));
        if (Files.isRegularFile(folder.resolve(VOCABULARY))) return ofVocabularyAndMerges(folder);
        return Files.isRegularFile(folder.resolve(TOKENIZER_JSON)) ? ofTokenizerJson(folder) : ofOpenAiMerges(folder);
    }

    private static Tokenizer ofVocabularyAndMerges(Path folder) throws Failure {
        Map<String, Integer> vocabulary = vocabulary(Json.read(folder.resolve(VOCABULARY)));
        Path merges = folder.resolve(MERGES);
        if (!Files.isRegularFile(merges))
            throw new Failure.Unreadable(merges + ": expected the merges of vocab.json, found nothing");
        JsonObject config = readConfig(folder, "tokenizer_config.json");
        if (!config.has("added_tokens_decoder")) {
            readConfig(folder, "special_tokens_map.json").entrySet()
                    .forEach(entry -> config.add(entry.getKey(), entry.getValue()));
        }
        return build(new TokenizerConfig(folder.toString(), config, vocabulary), merges,
                readMerges(merges, MAX_MERGES));
    }

    /// Source: huggingface/tokenizers, the serialization of a BPE model and of added tokens.
    private static Tokenizer ofTokenizerJson(Path folder) throws Failure {
        Path file = folder.resolve(TOKENIZER_JSON);
        Json json = Json.read(file);
        Json model = json.object("model");
        String type = model.find("type", "a text", Json::string).orElse("BPE");
        if (!type.equals("BPE"))
            throw new Failure.Incompatible(
                    file + ": model: type: expected BPE as in CLIP, found " + SafeText.of(type));
        List<String> merges = model.get("merges", "a list of token pairs", TokenizerLoader::pairs);
        JsonObject config = readConfig(folder, "tokenizer_config.json");
        if (!config.has("added_tokens_decoder") && json.has("added_tokens")) {
            JsonObject addedTokens = new JsonObject();
            for (Json token : json.objects("added_tokens"))
                addedTokens.add(Integer.toString(token.integer("id", 0, MAX_ID)), token.object());
            config.add("added_tokens_decoder", addedTokens);
        }
        return build(new TokenizerConfig(folder.toString(), config, vocabulary(model.object("vocab"))), file, merges);
    }

    private static List<String> pairs(JsonElement merges) {
        List<JsonElement> list = merges.getAsJsonArray().asList();
        return list.stream().map(TokenizerLoader::pair).toList();
    }

    /// A pair is a list of two tokens, or in older versions one string with a blank between them.
    private static String pair(JsonElement merge) {
        if (!merge.isJsonArray()) return Json.string(merge);
        if (merge.getAsJsonArray().size() != 2) throw new IllegalStateException("not two tokens");
        return Json.string(merge.getAsJsonArray().get(0)) + " " + Json.string(merge.getAsJsonArray().get(1));
    }

    private static Tokenizer ofOpenAiMerges(Path folder) throws Failure {
        List<Path> found;
        try (Stream<Path> files = Files.list(folder)) {
            found = files.filter(file -> file.toString().endsWith(OPENAI_EXTENSION)).sorted().toList();
        } catch (IOException e) {
            throw new Failure.Unreadable(folder + ": cannot be listed: " + e.getMessage(), e);
        }
        if (found.size() != 1) {
            throw new Failure.Unreadable(folder
                    + ": expected vocab.json and merges.txt, tokenizer.json, or one .txt.gz of merges, "
                    + "found no vocabulary and " + found.size() + " .txt.gz");
        }
        Path file = found.getFirst();
        List<String> merges = readMerges(file, CLIP_MERGES);
        return build(new TokenizerConfig(file.toString(), new JsonObject(), vocabulary(merges)), file, merges);
    }

    private static JsonObject readConfig(Path folder, String name) throws Failure {
        Path file = folder.resolve(name);
        return Files.isRegularFile(file) ? Json.read(file).object() : new JsonObject();
    }

    private static Map<String, Integer> vocabulary(Json json) throws Failure {
        Map<String, Integer> vocabulary = new HashMap<>();
        for (String token : json.object().keySet()) {
            int id = json.get(token, "an id from 0 to " + MAX_ID, element -> Math.toIntExact(Json.integer(element)));
            if (id < 0 || id > MAX_ID)
                throw new Failure.Unreadable(json.source() + ": " + SafeText.of(token) + ": expected an id from 0 to "
                        + MAX_ID + ", found " + id);
            vocabulary.put(token, id);
        }
        return vocabulary;
    }

    /// The merges, one per line after an optional version line; a gzip file is decompressed.
    private static List<String> readMerges(Path file, int max) throws Failure {
        try (InputStream stream = Files.newInputStream(file);
                InputStream decompressed = file.toString().endsWith(OPENAI_EXTENSION) ? new GZIPInputStream(stream)
                        : stream;
                Reader reader = new BufferedReader(new InputStreamReader(decompressed, StandardCharsets.UTF_8))) {
            List<String> merges = new ArrayList<>();
            String line = readLine(reader);
            if (line != null && line.contains("#version")) line = readLine(reader);
            for (; line != null && merges.size() < max; line = readLine(reader)) {
                if (!line.isEmpty()) merges.add(line);
            }
            return merges;
        } catch (IOException e) {
            throw new Failure.Unreadable(
                    file + ": the merges cannot be read: " + e.getMessage() + "; download the file again", e);
        }
    }

    /// The next line, or null at the end. The length is limited, since a few compressed bytes can expand to a line of
    /// gigabytes.
    private static @Nullable String readLine(Reader reader) throws IOException {
        StringBuilder line = new StringBuilder();
        int character = reader.read();
        if (character < 0) return null;
        for (; character >= 0 && character != '\n'; character = reader.read()) {
            if (line.length() == MAX_LINE_LENGTH)
                throw new IOException("a line is longer than " + MAX_LINE_LENGTH + " characters");
            line.append((char) character);
        }
        if (!line.isEmpty() && line.charAt(line.length() - 1) == '\r') line.setLength(line.length() - 1);
        return line.toString();
    }

    /// CLIP's vocabulary: the 256 byte characters, the same with the end-of-word suffix, the merged tokens, start and
    /// stop.
    private static Map<String, Integer> vocabulary(List<String> merges) {
        List<String> tokens = new ArrayList<>();
        for (int byteValue = 0; byteValue < 256; byteValue++)
            tokens.add(Character.toString(BytePairEncoder.byteToUnicode(byteValue)));
        tokens.sort(null);
        for (int byteIndex = 0; byteIndex < 256; byteIndex++)
            tokens.add(tokens.get(byteIndex) + BytePairEncoder.END_OF_WORD);
        for (String merge : merges) tokens.add(merge.replace(" ", ""));
        tokens.addAll(List.of(TokenizerConfig.START_OF_TEXT, TokenizerConfig.END_OF_TEXT));
        Map<String, Integer> vocabulary = new HashMap<>();
        for (int id = 0; id < tokens.size(); id++) vocabulary.put(tokens.get(id), id);
        return vocabulary;
    }

    private static Tokenizer build(TokenizerConfig config, Path file, List<String> merges) throws Failure {
        Map<String, Integer> vocabulary = config.vocabulary();
        Map<Long, BytePairEncoder.Merge> mergesByPair = new HashMap<>();
        Set<String> mergedTokens = new HashSet<>();
        for (int rank = 0; rank < merges.size(); rank++) {
            String[] parts = merges.get(rank).split(" ", -1);
            Integer left = vocabulary.get(parts[0]);
            Integer right = vocabulary.get(parts[parts.length - 1]);
            Integer joined = vocabulary.get(String.join("", parts));
            if (parts.length != 2 || left == null || right == null || joined == null) {
                throw new Failure.Unreadable(file + ": merge " + (rank + 1)
                        + ": expected two tokens of the vocabulary whose concatenation is a third, found \""
                        + SafeText.of(merges.get(rank)) + "\"");
            }
            mergesByPair.put(BytePairEncoder.pairKey(left, right), new BytePairEncoder.Merge(rank, joined));
            mergedTokens.add(String.join("", parts));
        }
        SpecialTokens specialTokens = config.specialTokens();
        requireMergesComplete(file, vocabulary.keySet(), mergedTokens, specialTokens);
        return new Tokenizer(new BytePairEncoder(vocabulary, config.unknownId(), mergesByPair), specialTokens,
                config.specialTokenLayout());
    }

    /// A truncated list of merges would still encode every prompt, but to other ids and so to other images.
    private static void requireMergesComplete(Path file, Set<String> tokens, Set<String> mergedTokens,
            SpecialTokens specialTokens) throws Failure {
        List<String> unreachable = tokens.stream()
                .filter(token -> !mergedTokens.contains(token) && !specialTokens.contains(token)
                        && !isSingleCharacter(token))
                .sorted()
                .toList();
        if (unreachable.isEmpty()) return;
        throw new Failure.Unreadable(
                file + ": expected a merge for every token of the vocabulary of " + tokens.size() + ", found none for "
                        + unreachable.size() + " of them, such as \"" + SafeText.of(unreachable.getFirst())
                        + "\"; the merges are truncated or belong to another vocabulary: download both files again");
    }

    private static boolean isSingleCharacter(String token) {
        String text = token.endsWith(BytePairEncoder.END_OF_WORD)
                ? token.substring(0, token.length() - BytePairEncoder.END_OF_WORD.length())
                : token;
        return text.codePointCount(0, text.length()) <= 1;
    }
}
