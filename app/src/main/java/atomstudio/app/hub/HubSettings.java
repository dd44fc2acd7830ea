package atomstudio.app.hub;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.LoggerFactory;

/// The hub's address and the access tokens, by the origin they were entered for: a mirror does not receive the token of
/// another hub. They have a file of their own, readable by its owner only, so that the other settings can be shared.
/// @param proxy empty: that of the environment
public record HubSettings(HubAddress address, Map<String, HubToken> tokens,
        Optional<HubProxy.ProxyAddress> proxy) {
    public static final HubSettings DEFAULT = new HubSettings(HubAddress.DEFAULT, Map.of(), Optional.empty());

    public HubSettings {
        tokens = Map.copyOf(tokens);
    }

    /// The token of the current address.
    public Optional<HubToken> token() {
        return token(address);
    }

    public Optional<HubToken> token(HubAddress hub) {
        return Optional.ofNullable(tokens.get(hub.origin()));
    }

    public HubSettings with(HubAddress changed) {
        return new HubSettings(changed, tokens, proxy);
    }

    /// @param token of the current address; empty: forgets it
    public HubSettings with(Optional<HubToken> token) {
        Map<String, HubToken> changed = new TreeMap<>(tokens);
        token.ifPresentOrElse(secret -> changed.put(address.origin(), secret), () -> changed.remove(address.origin()));
        return new HubSettings(address, changed, proxy);
    }

    /// @param changed empty: that of the environment
    public HubSettings withProxy(Optional<HubProxy.ProxyAddress> changed) {
        return new HubSettings(address, tokens, changed);
    }

    /// Reads the settings; a missing or damaged file gives the defaults.
    public static HubSettings read(Path file) {
        if (!Files.isRegularFile(file)) return DEFAULT;
        try {
            JsonObject json = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
            Map<String, HubToken> tokens = new TreeMap<>();
            if (json.has("tokens")) {
                for (Map.Entry<String, JsonElement> entry : json.getAsJsonObject("tokens").entrySet())
                    tokens.put(entry.getKey(), new HubToken(entry.getValue().getAsString()));
            }
            return new HubSettings(
                    json.has("address") ? HubAddress.parse(json.get("address").getAsString()) : HubAddress.DEFAULT,
                    tokens,
                    json.has("proxy") ? Optional.of(HubProxy.ProxyAddress.parse(json.get("proxy").getAsString()))
                            : Optional.empty());
        } catch (IOException | JsonParseException | IllegalStateException | ClassCastException
                | IllegalArgumentException | UnsupportedOperationException damaged) {
            // Without the exception, whose message may contain a part of the file.
            LoggerFactory.getLogger(HubSettings.class).warn("ignored unreadable settings in {}", file);
            return DEFAULT;
        }
    }

    public void write(Path file) throws Failure {
        JsonObject json = new JsonObject();
        json.addProperty("address", address.toString());
        JsonObject secrets = new JsonObject();
        new TreeMap<>(tokens).forEach((origin, token) -> secrets.addProperty(origin, token.value()));
        json.add("tokens", secrets);
        proxy.ifPresent(used -> json.addProperty("proxy", used.toString()));
        AtomicFile.write(file, out -> out.write((json + "\n").getBytes(StandardCharsets.UTF_8)));
    }
}
