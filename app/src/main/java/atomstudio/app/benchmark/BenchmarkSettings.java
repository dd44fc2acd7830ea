package atomstudio.app.benchmark;

import atomstudio.app.benchmark.BenchmarkDataset.PromptLists;
import atomstudio.app.compare.ComparisonText;
import atomstudio.app.experiment.GenerationSettingsJson;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.config.TrainingConfig.PrecisionMode;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/// What all runs of a benchmark have in common: `benchmark.json`. Runs of other settings are not comparable.
/// @param model     its folder or file
/// @param modelHash of its UNet's weights
/// @param prompts   the prompts in use
/// @param images    per prompt
/// @param precision of training
/// @param dino      the DINO encoder, where one is given
public record BenchmarkSettings(Path model, String modelHash, BenchmarkProtocol protocol, PromptLists prompts,
        int images, ImageSettings sampling, PrecisionMode precision, Optional<Encoder> dino) {
    /// Of every image.
    public record ImageSettings(GenerationSettings generation, String negativePrompt) {}

    /// An encoder's file or folder, and the SHA-256 of its weights.
    public record Encoder(Path path, String hash) {
        /// @throws Failure.Incompatible if it is no ViT
        public static Encoder ofDino(Path path) throws Failure {
            return DinoEncoder.encoder(path);
        }
    }

    BenchmarkSettings with(BenchmarkProtocol other) {
        return new BenchmarkSettings(model, modelHash, other, prompts, images, sampling, precision, dino);
    }

    /// The protocol in lines, printed under the table.
    List<String> describe(String encoder) {
        String details = ComparisonText.samplingDetails(model.getFileName().toString(), sampling.generation);
        return List.of("Protocol " + protocol.option() + ": " + protocol.averaging() + ".",
                "CLIP-I and CLIP-T by " + encoder + "; DINO "
                        + dino.map(found -> "by " + found.path + " (SHA-256 " + found.hash.substring(0, 12)
                                + "), input: " + protocol.dinoInput()).orElse("not measured: no encoder given")
                        + ". Real images: all photos, those of the training included. Text of CLIP-T: the prompt with "
                        + "the class, without the trigger word.",
                "Images: " + details + (sampling.negativePrompt.isEmpty() ? ""
                        : " · negative: “" + sampling.negativePrompt + "”") + " · " + images
                        + " per prompt, seeds 0 to "
                        + (images - 1) + " · " + prompts.objects().size() + " prompts. Training in "
                        + precision.option() + ", evaluated after the last step; no checkpoint is chosen by these "
                        + "metrics.",
                "Copy rate: share of images that are closer to a photo than any two photos are to each other. "
                        + "Diversity: 1 − cosine of the images of a prompt. Brackets: 95% bootstrap interval over the "
                        + "subjects. Black: images without content, of the safety checker for instance; they are "
                        + "included in the means.");
    }

    JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("format", 1);
        json.addProperty("model", model.toString());
        json.addProperty("modelHash", modelHash);
        json.addProperty("protocol", protocol.option());
        json.add("prompts", array(prompts.objects()));
        json.add("livePrompts", array(prompts.live()));
        json.addProperty("images", images);
        GenerationSettingsJson.add(json, sampling.generation);
        json.addProperty("negativePrompt", sampling.negativePrompt);
        json.addProperty("precision", precision.option());
        dino.ifPresent(encoder -> {
            json.addProperty("dino", encoder.path.toString());
            json.addProperty("dinoHash", encoder.hash);
        });
        return json;
    }

    private static JsonArray array(List<String> texts) {
        JsonArray array = new JsonArray();
        texts.forEach(array::add);
        return array;
    }

    static BenchmarkSettings read(Path file) throws Failure {
        Json json = Json.read(file);
        Optional<Encoder> dino = Optional.empty();
        if (json.has("dino")) dino = Optional.of(new Encoder(Path.of(json.string("dino")), json.string("dinoHash")));
        return new BenchmarkSettings(Path.of(json.string("model")), json.string("modelHash"),
                GenerationSettingsJson.oneOf(json, "protocol", BenchmarkProtocol.values(), BenchmarkProtocol::option),
                new PromptLists(json.strings("prompts"), json.strings("livePrompts")),
                json.integer("images", 1, Integer.MAX_VALUE),
                new ImageSettings(GenerationSettingsJson.read(json), json.string("negativePrompt")),
                GenerationSettingsJson.oneOf(json, "precision", PrecisionMode.values(), PrecisionMode::option), dino);
    }

    /// The first setting that differs: `steps: expected 25, found 10`; empty if all are equal.
    Optional<String> difference(BenchmarkSettings other) {
        JsonObject expected = JsonParser.parseString(toJson().toString()).getAsJsonObject();
        JsonObject found = JsonParser.parseString(other.toJson().toString()).getAsJsonObject();
        TreeSet<String> keys = new TreeSet<>(expected.keySet());
        keys.addAll(found.keySet());
        // Paths may move, and the protocol is only a way to score.
        keys.removeAll(List.of("format", "model", "dino", "protocol"));
        return keys.stream()
                .filter(key -> !String.valueOf(expected.get(key)).equals(String.valueOf(found.get(key))))
                .map(key -> key + ": expected " + text(expected.get(key)) + ", found " + text(found.get(key)))
                .findFirst();
    }

    private static String text(JsonElement value) {
        return value == null ? "none" : value.toString();
    }
}
