package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.sample.SchedulerConfig;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// Loads a model from a folder in diffusers' layout: every component has a folder with its configuration and weights.
/// @param index its model_index.json
record FolderLoader(Path folder, ModelConfig index) {
    private static final Set<String> SUPPORTED_PIPELINES = Set.of("StableDiffusionPipeline",
            "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline");

    static DiffusionModel open(Path folder, ModelLoadOptions options) throws Failure {
        Path index = folder.resolve(DiffusionModel.MODEL_INDEX);
        if (!Files.isRegularFile(index)) {
            throw new Failure.Unreadable(folder
                    + ": is not a model folder: expected model_index.json with unet, vae, text_encoder, tokenizer and "
                    + "scheduler folders (diffusers layout), or a model in one file; found "
                    + (Files.isDirectory(folder) ? "a folder without it" : "nothing"));
        }
        return new FolderLoader(folder, ModelConfig.read(index)).load(options);
    }

    private DiffusionModel load(ModelLoadOptions options) throws Failure {
        String className = index.string("_class_name", "StableDiffusionPipeline");
        if (!SUPPORTED_PIPELINES.contains(className))
            throw new Failure.Incompatible(index.file() + ": " + SafeText.of(className)
                    + " is not supported; Stable Diffusion 1.x and 2.x (StableDiffusionPipeline) are");
        SortedMap<Component, NetworkFile<?>> components = new TreeMap<>();
        components.put(Component.UNET, component(Component.UNET));
        components.put(Component.VAE,
                options.vae().isPresent() ? NetworkFile.vae(options.vae().get()) : component(Component.VAE));
        components.put(Component.TEXT_ENCODER, component(Component.TEXT_ENCODER));
        for (int i = 2; lists(Component.textEncoder(i)); i++)
            components.put(Component.textEncoder(i), component(Component.textEncoder(i)));
        SchedulerConfig scheduler = SchedulerConfig.read(folder.resolve("scheduler/scheduler_config.json"));
        if (options.predictionType().isPresent())
            scheduler = scheduler.withPredictionType(options.predictionType().get());
        ModelConfig metadata = metadata();
        String folderName = folder.toAbsolutePath().normalize().getFileName().toString();
        return new DiffusionModel(folder, metadata.string("name", folderName), scheduler, sampleSize(), components,
                new DiffusionModel.Sources(TokenizerLocator.of(folder, options), List.of(),
                        metadata.strings("words", List.of())));
    }

    /// Whether the index names a class for a component: `["transformers", "CLIPTextModel"]`; absent ones may be nulls.
    private boolean lists(Component component) {
        JsonElement entry = index.json().get(component.folder());
        return entry instanceof JsonArray names && !names.isEmpty() && !names.get(0).isJsonNull();
    }

    private NetworkFile<?> component(Component component) throws Failure {
        return NetworkFile.ofFolder(component, folder.resolve(component.folder()));
    }

    /// The side of the square latents; some programs write it twice, as width and height.
    private int sampleSize() throws Failure {
        ModelConfig unet = ModelConfig.read(folder.resolve(Component.UNET.folder()).resolve("config.json"));
        List<Integer> sides = unet.integers("sample_size", List.of(DiffusionModel.DEFAULT_SAMPLE_SIZE), 1);
        int side = sides.isEmpty() ? 0 : sides.getFirst();
        if (side < 1 || side > DiffusionModel.MAX_SAMPLE_SIZE || sides.size() > 2 || sides.getLast() != side) {
            throw unet.invalid("sample_size",
                    "an integer from 1 to " + DiffusionModel.MAX_SAMPLE_SIZE + ", or two equal ones",
                    unet.json().get("sample_size"));
        }
        return side;
    }

    /// The optional metadata.json: the model's name, and words that it knows.
    private ModelConfig metadata() throws Failure {
        Path file = folder.resolve("metadata.json");
        return Files.isRegularFile(file) ? ModelConfig.read(file) : new ModelConfig(file, new JsonObject());
    }
}
