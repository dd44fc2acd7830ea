package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.sample.SchedulerConfig;
import atomstudio.diffusion.tensor.TensorFile;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/// Loads a model from a single file in the LDM layout. The networks are inferred from the tensors; other settings are
/// those of the published models unless a [Sidecar] overrides them.
record SingleFileLoader(TensorFile tensors, Sidecar sidecar) {
    private static final int V_PREDICTION_SAMPLE_SIZE = 96;
    /// Without timestep_spacing, as published: each sampler uses the default of its reference class.
    /// Source: scheduler_config.json of stable-diffusion-v1-5 and stable-diffusion-2.
    private static final String SCHEDULER_TEMPLATE = """
            {"_class_name": "%s", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
             "num_train_timesteps": 1000, "steps_offset": 1, "set_alpha_to_one": false, "skip_prk_steps": true,
             "clip_sample": false}""";

    static DiffusionModel open(Path file, ModelLoadOptions options) throws Failure {
        try (TensorFile tensors = TensorFile.open(file)) {
            UnsupportedCheckpoints.rejectKnown(tensors);
            if (!tensors.has(LdmLayout.UNET_PREFIX + "input_blocks.0.0.weight"))
                throw UnsupportedCheckpoints.missingUnet(tensors);
            return new SingleFileLoader(tensors, Sidecar.of(file, tensors.metadata())).load(options);
        }
    }

    private DiffusionModel load(ModelLoadOptions options) throws Failure {
        Path file = tensors.file();
        WeightLocation.KeyMapping mapping = LdmLayout.unet(tensors.tensors().keySet());
        InferredConfigs inferred = inferredConfigs(mapping);
        boolean isSd2 = inferred.usesLinearProjection();
        ModelConfig config = sidecar.mergedConfig(Component.UNET.folder(), inferred.unet());
        UNet unet = NetworkFactory.unet(config);
        SortedMap<Component, NetworkFile<?>> components = new TreeMap<>();
        components.put(Component.UNET, new NetworkFile<>(unet, new WeightLocation.InFile(file, mapping)));
        components.put(Component.VAE, options.vae().isPresent() ? NetworkFile.vae(options.vae().get())
                : NetworkFile.vae(tensors, sidecar));
        components.putAll(textEncoders());
        List<String> warnings = new ArrayList<>();
        DetectedPredictionType prediction = options.predictionType().isPresent()
                ? DetectedPredictionType.declared(options.predictionType().get())
                : DetectedPredictionType.detect(predictionEvidence(unet, isSd2));
        if (prediction.basis() == DetectedPredictionType.Basis.INFERRED)
            warnings.add("The prediction type was inferred as " + prediction.type() + " (" + prediction.reason()
                    + "); if it is wrong, set it in a .json file of the same name next to the model.");
        int sampleSize = config.count("sample_size",
                isSd2 && prediction.isVPrediction() ? V_PREDICTION_SAMPLE_SIZE : DiffusionModel.DEFAULT_SAMPLE_SIZE,
                DiffusionModel.MAX_SAMPLE_SIZE);
        return new DiffusionModel(file, modelName(), schedulerConfig(isSd2, prediction), sampleSize, components,
                new DiffusionModel.Sources(TokenizerLocator.of(file, options), warnings, List.of()));
    }

    private InferredConfigs inferredConfigs(WeightLocation.KeyMapping mapping) {
        return new InferredConfigs(tensors.file(), LdmLayout.shapes(tensors.tensors().values(), mapping));
    }

    private SortedMap<Component, NetworkFile<?>> textEncoders() throws Failure {
        SortedMap<Component, NetworkFile<?>> encoders = new TreeMap<>();
        for (LdmLayout.TextEncoder stored : LdmLayout.textEncoders(tensors.tensors().keySet())) {
            Component component = Component.textEncoder(encoders.size() + 1);
            ModelConfig config = sidecar.mergedConfig(component.folder(),
                    inferredConfigs(stored.mapping()).textEncoder(stored));
            encoders.put(component, new NetworkFile<>(NetworkFactory.textEncoder(component, config),
                    new WeightLocation.InFile(tensors.file(), stored.mapping())));
        }
        if (encoders.isEmpty()) {
            throw new Failure.Incompatible(tensors.file() + ": has no text encoder (expected tensors "
                    + LdmLayout.TEXT_ENCODER_PREFIX + "… or " + LdmLayout.OPEN_CLIP_PREFIX
                    + "…); get the complete model");
        }
        return encoders;
    }

    private DetectedPredictionType.Evidence predictionEvidence(UNet unet, boolean isSd2) {
        int lastBlock = (unet.levels().size() * (unet.layersPerBlock() + 1)) - 1;
        String probeKey = LdmLayout.UNET_PREFIX + "output_blocks." + lastBlock + ".1.transformer_blocks.0.norm1.bias";
        return new DetectedPredictionType.Evidence(tensors, sidecar, isSd2,
                unet.channels().in() != unet.channels().out(), probeKey);
    }

    private SchedulerConfig schedulerConfig(boolean isSd2, DetectedPredictionType prediction) throws Failure {
        JsonObject published = JsonParser
                .parseString(SCHEDULER_TEMPLATE.formatted(isSd2 ? "DDIMScheduler" : "PNDMScheduler"))
                .getAsJsonObject();
        if (tensors.has("ztsnr")) {
            published.addProperty("rescale_betas_zero_snr", true);
            published.addProperty("timestep_spacing", "trailing");
        }
        JsonObject merged = sidecar.mergedConfig("scheduler", published).json();
        merged.addProperty("prediction_type", prediction.type());
        SchedulerConfig scheduler = SchedulerConfig.parse(tensors.file().toString(), merged.toString());
        // PNDM, the default, cannot start at zero terminal SNR.
        boolean isSchedulerDeclared = sidecar.string("scheduler", "_class_name").isPresent();
        return scheduler.hasZeroTerminalSnr() && !isSchedulerDeclared ? scheduler.forClass("DDIMScheduler") : scheduler;
    }

    /// The name in its sidecar or metadata, else the file name.
    private String modelName() {
        String fileName = Sidecar.sibling(tensors.file(), "").getFileName().toString();
        String title = tensors.metadata().getOrDefault("modelspec.title", "");
        JsonElement declared = sidecar.json().get("name");
        boolean isDeclared = declared != null && declared.isJsonPrimitive() && declared.getAsJsonPrimitive().isString()
                && !declared.getAsString().isBlank();
        return isDeclared ? declared.getAsString() : title.isBlank() ? fileName : title;
    }
}
