package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.ClipText;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.sample.SchedulerConfig;
import atomstudio.diffusion.tensor.TensorFile;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A whole Stable Diffusion in one file of the original layout: what its networks are is told from the tensors, the rest from what the published
/// models of the same kind have, unless something beside the file says otherwise ([Sidecar]).
record SingleFile(TensorFile tensors, Sidecar sidecar) {
    private static final int BASE_SIZE = 64;
    private static final int LARGE_SIZE = 96;
    /// Without timestep_spacing, as published: each sampler takes the default of its reference class.
    /// Source: scheduler_config.json of stable-diffusion-v1-5 and stable-diffusion-2.
    private static final String SCHEDULE = """
            {"_class_name": "%s", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
             "steps_offset": 1, "set_alpha_to_one": false, "skip_prk_steps": true, "clip_sample": false}""";

    static ModelFolder open(Path file, ModelChoices choices) throws Failure {
        try (TensorFile tensors = TensorFile.open(file)) {
            Refusals.others(tensors);
            if (!tensors.has(OriginalLayout.UNET + "input_blocks.0.0.weight")) throw Refusals.withoutUNet(tensors);
            return new SingleFile(tensors, Sidecar.of(file, tensors.metadata())).model(choices);
        }
    }

    private ModelFolder model(ModelChoices choices) throws Failure {
        Path file = tensors.file();
        Naming naming = OriginalLayout.unet(tensors.tensors().keySet());
        InferredConfigs told = told(naming);
        boolean second = told.linear();
        Config config = sidecar.over(Part.UNET.folder(), told.unet());
        UNet unet = NetworkConfigs.unet(config);
        Autoencoder vae = choices.vae().isPresent() ? Autoencoder.at(choices.vae().get()) : Autoencoder.of(tensors, sidecar);
        TextEncoder text = text(second);
        List<String> notes = new ArrayList<>();
        PredictionGuess prediction = choices.prediction().isPresent() ? PredictionGuess.said(choices.prediction().get()) : PredictionGuess.of(evidence(unet, second));
        if (prediction.ground() == PredictionGuess.Ground.GUESSED) notes.add("The model predicts " + prediction.type() + ", by a guess (" + prediction.reason() + "); --prediction, or a .json of its name beside it, says otherwise.");
        int size = config.count("sample_size", second && prediction.ofVelocity() ? LARGE_SIZE : BASE_SIZE, ModelFolder.LARGEST_SAMPLE_SIZE);
        Map<Part, Weights> weights = Map.of(Part.UNET, new Weights.InFile(file, naming), Part.VAE, vae.weights(), Part.TEXT, new Weights.InFile(file, text.naming));
        return new ModelFolder(file, name(), new ModelFolder.Networks(unet, vae.network(), text.network), schedule(second, prediction), size,
                new ModelFolder.Sources(weights, TokenizerSearch.of(file, choices), notes));
    }

    private InferredConfigs told(Naming naming) {
        return new InferredConfigs(tensors.file(), OriginalLayout.shapes(tensors.tensors().values(), naming));
    }

    private record TextEncoder(ClipText network, Naming naming) {}

    private TextEncoder text(boolean second) throws Failure {
        boolean openClip = tensors.has(OriginalLayout.OPEN_CLIP + "token_embedding.weight");
        Naming naming = openClip ? OriginalLayout.openClip() : OriginalLayout.text();
        InferredConfigs told = told(naming);
        if (told.tensors().isEmpty()) {
            throw new Failure.Incompatible(tensors.file() + ": holds no text encoder (expected tensors " + OriginalLayout.TEXT + "… or " + OriginalLayout.OPEN_CLIP + "…); get the whole model");
        }
        return new TextEncoder(NetworkConfigs.text(sidecar.over(Part.TEXT.folder(), told.text(openClip ? InferredConfigs.Clip.OPEN_CLIP : InferredConfigs.Clip.TRANSFORMERS))), naming);
    }

    private PredictionGuess.Evidence evidence(UNet unet, boolean second) {
        int last = (unet.levels().size() * (unet.blocks() + 1)) - 1;
        String telltale = OriginalLayout.UNET + "output_blocks." + last + ".1.transformer_blocks.0.norm1.bias";
        return new PredictionGuess.Evidence(tensors, sidecar, second, unet.channels().in() != unet.channels().out(), telltale);
    }

    private SchedulerConfig schedule(boolean second, PredictionGuess prediction) throws Failure {
        JsonObject published = JsonParser.parseString(SCHEDULE.formatted(second ? "DDIMScheduler" : "PNDMScheduler")).getAsJsonObject();
        if (tensors.has("ztsnr")) {
            published.addProperty("rescale_betas_zero_snr", true);
            published.addProperty("timestep_spacing", "trailing");
        }
        JsonObject all = sidecar.over("scheduler", published).json();
        all.addProperty("prediction_type", prediction.type());
        SchedulerConfig schedule = SchedulerConfig.parse(tensors.file().toString(), all.toString());
        // PNDM, which the file does not name, cannot start at zero SNR.
        boolean named = sidecar.text("scheduler", "_class_name").isPresent();
        return schedule.hasZeroTerminalSnr() && !named ? schedule.forClass("DDIMScheduler") : schedule;
    }

    /// What its metadata or the files beside it call it, or else the file's name.
    private String name() {
        String file = Sidecar.beside(tensors.file(), "").getFileName().toString();
        String title = tensors.metadata().getOrDefault("modelspec.title", "");
        JsonElement told = sidecar.json().get("name");
        boolean named = told != null && told.isJsonPrimitive() && told.getAsJsonPrimitive().isString() && !told.getAsString().isBlank();
        return named ? told.getAsString() : title.isBlank() ? file : title;
    }
}
