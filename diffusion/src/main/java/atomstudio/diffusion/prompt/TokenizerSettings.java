package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.prompt.SpecialTokens.Matched;
import atomstudio.diffusion.prompt.SpecialTokens.Special;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// What `tokenizer_config.json` and `special_tokens_map.json` say, CLIP's own values where they are silent.
/// @param where names the folder in messages
record TokenizerSettings(String where, JsonObject json, Map<String, Integer> vocabulary) {
    static final String START = "<|startoftext|>";
    static final String STOP = "<|endoftext|>";
    private static final int CLIP_LIMIT = 77;
    private static final int LONGEST_LIMIT = 100_000;
    private static final List<String> ALWAYS = List.of("bos_token", "eos_token", "unk_token", "pad_token");
    private static final List<String> ROLES = List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    /// How a file writes a token: as a plain text, or with properties that say where it is looked for.
    private enum Form { TEXT, RAW, NORMALIZED }

    private record Declared(String content, Form form) {}

    /// Ids around every prompt, and how many there are at most.
    Tokenizer.Frame frame() throws Failure {
        return new Tokenizer.Frame(id("bos_token"), id("eos_token"), id("pad_token"), limit());
    }

    int unknown() throws Failure {
        return id("unk_token");
    }

    private int id(String role) throws Failure {
        return id(declared(role));
    }

    private int id(Declared token) throws Failure {
        Integer id = vocabulary.get(token.content);
        if (id == null) throw new Failure.Unreadable(where + ": the special token \"" + SafeText.of(token.content) + "\": expected it in the vocabulary, found nothing");
        return id;
    }

    /// A limit past any text encoder's stands for "none" and becomes CLIP's.
    private int limit() throws Failure {
        double limit = settings().find("model_max_length", "a number of at least 2", Json::number).orElse((double) CLIP_LIMIT);
        if (limit < 2) throw new Failure.Unreadable(where + ": model_max_length: expected at least 2, found " + limit);
        return limit > LONGEST_LIMIT ? CLIP_LIMIT : (int) limit;
    }

    private Json settings() {
        return new Json(where, json);
    }

    private boolean says(String role) {
        return json.has(role) && !json.get(role).isJsonNull();
    }

    private Declared declared(String role) throws Failure {
        return declared(role, says(role) ? json.get(role) : new JsonPrimitive(role.equals("bos_token") ? START : STOP));
    }

    /// @param key in messages
    private Declared declared(String key, JsonElement token) throws Failure {
        if (token.isJsonPrimitive() && token.getAsJsonPrimitive().isString()) return new Declared(token.getAsString(), Form.TEXT);
        if (!token.isJsonObject()) throw new Failure.Unreadable(where + ": " + SafeText.of(key) + ": expected a token, found " + SafeText.of(token));
        Json written = new Json(where + ": " + SafeText.of(key), token.getAsJsonObject());
        String content = written.string("content");
        for (String property : List.of("lstrip", "rstrip", "single_word")) {
            if (flag(written, property)) throw new Failure.Unsupported(where + ": the special token \"" + SafeText.of(content) + "\": " + property + " is not built yet");
        }
        return new Declared(content, flag(written, "normalized") ? Form.NORMALIZED : Form.RAW);
    }

    private static boolean flag(Json written, String property) throws Failure {
        return written.find(property, "true or false", Json::bool).orElse(false);
    }

    /// In the reference's order: the listed ones by id, then those of roles, then more. Of two that are written alike the first
    /// counts; of different ones for the same content the last.
    SpecialTokens specials() throws Failure {
        Map<Integer, Declared> listed = listed();
        Set<Declared> distinct = new LinkedHashSet<>(listed.values());
        List<String> known = listed.values().stream().map(Declared::content).toList();
        for (String role : ROLES) {
            if (!says(role) && !ALWAYS.contains(role)) continue;
            Declared token = declared(role);
            if (!known.contains(token.content)) distinct.add(token);
        }
        for (String key : List.of("additional_special_tokens", "extra_special_tokens")) {
            if (!json.has(key) || !json.get(key).isJsonArray()) continue;
            for (JsonElement token : json.getAsJsonArray(key)) {
                if (!known.contains(declared(key, token).content)) distinct.add(declared(key, token));
            }
        }
        List<Special> specials = new ArrayList<>();
        for (Declared token : distinct) {
            specials.add(new Special(token.content, List.of(id(token)), token.form == Form.NORMALIZED ? Matched.NORMALIZED : Matched.RAW));
        }
        return SpecialTokens.of(specials);
    }

    private Map<Integer, Declared> listed() throws Failure {
        Map<Integer, Declared> listed = new TreeMap<>();
        if (!says("added_tokens_decoder")) return listed;
        Json tokens = settings().object("added_tokens_decoder");
        for (Map.Entry<String, JsonElement> entry : tokens.object().entrySet()) {
            try {
                listed.put(Integer.parseInt(entry.getKey()), declared("added_tokens_decoder: " + entry.getKey(), entry.getValue()));
            } catch (NumberFormatException e) {
                throw new Failure.Unreadable(tokens.source() + ": expected ids of tokens, found " + SafeText.of(entry.getKey()), e);
            }
        }
        return listed;
    }
}
