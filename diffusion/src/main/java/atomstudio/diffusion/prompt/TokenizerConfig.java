package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.prompt.SpecialTokens.AddedToken;
import atomstudio.diffusion.prompt.SpecialTokens.MatchMode;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// The contents of `tokenizer_config.json` and `special_tokens_map.json`, with CLIP's values as defaults.
/// @param source the folder, for messages
record TokenizerConfig(String source, JsonObject json, Map<String, Integer> vocabulary) {
    static final String START_OF_TEXT = "<|startoftext|>";
    static final String END_OF_TEXT = "<|endoftext|>";
    private static final int CLIP_MAX_LENGTH = 77;
    private static final int MAX_PLAUSIBLE_LENGTH = 100_000;
    private static final List<String> REQUIRED_ROLES = List.of("bos_token", "eos_token", "unk_token", "pad_token");
    private static final List<String> ROLES = List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
            "cls_token", "mask_token");

    /// How a file declares a token: as a plain string, or as an object to match in the raw or normalized text.
    private enum Form { STRING, RAW, NORMALIZED }

    private record TokenDeclaration(String content, Form form) {}

    Tokenizer.SpecialTokenLayout specialTokenLayout() throws Failure {
        return new Tokenizer.SpecialTokenLayout(tokenId("bos_token"), tokenId("eos_token"), tokenId("pad_token"),
                maxLength());
    }

    int unknownId() throws Failure {
        return tokenId("unk_token");
    }

    private int tokenId(String role) throws Failure {
        return tokenId(declaration(role));
    }

    private int tokenId(TokenDeclaration token) throws Failure {
        Integer id = vocabulary.get(token.content);
        if (id == null)
            throw new Failure.Unreadable(source + ": the special token \"" + SafeText.of(token.content)
                    + "\": expected it in the vocabulary, found nothing");
        return id;
    }

    /// transformers writes a huge number for "no limit"; CLIP's limit is used then.
    private int maxLength() throws Failure {
        double maxLength = reader().find("model_max_length", "a number of at least 2", Json::number)
                .orElse((double) CLIP_MAX_LENGTH);
        if (maxLength < 2)
            throw new Failure.Unreadable(source + ": model_max_length: expected at least 2, found " + maxLength);
        return maxLength > MAX_PLAUSIBLE_LENGTH ? CLIP_MAX_LENGTH : (int) maxLength;
    }

    private Json reader() {
        return new Json(source, json);
    }

    private boolean has(String role) {
        return json.has(role) && !json.get(role).isJsonNull();
    }

    private TokenDeclaration declaration(String role) throws Failure {
        return declaration(role,
                has(role) ? json.get(role) : new JsonPrimitive(role.equals("bos_token") ? START_OF_TEXT : END_OF_TEXT));
    }

    /// @param key in messages
    private TokenDeclaration declaration(String key, JsonElement token) throws Failure {
        if (token.isJsonPrimitive() && token.getAsJsonPrimitive().isString())
            return new TokenDeclaration(token.getAsString(), Form.STRING);
        if (!token.isJsonObject())
            throw new Failure.Unreadable(
                    source + ": " + SafeText.of(key) + ": expected a token, found " + SafeText.of(token));
        Json reader = new Json(source + ": " + SafeText.of(key), token.getAsJsonObject());
        String content = reader.string("content");
        for (String property : List.of("lstrip", "rstrip", "single_word")) {
            if (bool(reader, property))
                throw new Failure.Unsupported(source + ": the special token \"" + SafeText.of(content) + "\": "
                        + property + " is not supported yet");
        }
        return new TokenDeclaration(content, bool(reader, "normalized") ? Form.NORMALIZED : Form.RAW);
    }

    private static boolean bool(Json reader, String property) throws Failure {
        return reader.find(property, "true or false", Json::bool).orElse(false);
    }

    /// In the reference's order: added tokens by id, then the tokens of roles, then additional ones. The first of equal
    /// declarations counts; of different declarations of the same content the last.
    SpecialTokens specialTokens() throws Failure {
        Map<Integer, TokenDeclaration> added = addedTokens();
        Set<TokenDeclaration> distinct = new LinkedHashSet<>(added.values());
        List<String> knownContents = added.values().stream().map(TokenDeclaration::content).toList();
        for (String role : ROLES) {
            if (!has(role) && !REQUIRED_ROLES.contains(role)) continue;
            TokenDeclaration token = declaration(role);
            if (!knownContents.contains(token.content)) distinct.add(token);
        }
        for (String key : List.of("additional_special_tokens", "extra_special_tokens")) {
            if (!json.has(key) || !json.get(key).isJsonArray()) continue;
            for (JsonElement token : json.getAsJsonArray(key)) {
                if (!knownContents.contains(declaration(key, token).content)) distinct.add(declaration(key, token));
            }
        }
        List<AddedToken> tokens = new ArrayList<>();
        for (TokenDeclaration token : distinct) {
            tokens.add(new AddedToken(token.content, List.of(tokenId(token)),
                    token.form == Form.NORMALIZED ? MatchMode.NORMALIZED : MatchMode.RAW));
        }
        return SpecialTokens.of(tokens);
    }

    private Map<Integer, TokenDeclaration> addedTokens() throws Failure {
        Map<Integer, TokenDeclaration> added = new TreeMap<>();
        if (!has("added_tokens_decoder")) return added;
        Json tokens = reader().object("added_tokens_decoder");
        for (Map.Entry<String, JsonElement> entry : tokens.object().entrySet()) {
            try {
                added.put(Integer.parseInt(entry.getKey()),
                        declaration("added_tokens_decoder: " + entry.getKey(), entry.getValue()));
            } catch (NumberFormatException e) {
                throw new Failure.Unreadable(
                        tokens.source() + ": expected token ids as keys, found " + SafeText.of(entry.getKey()), e);
            }
        }
        return added;
    }
}
