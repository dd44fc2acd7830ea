package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.engine.PromptEncoder.PromptEmbeddings;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.image.Resampling;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingResult;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Tensor;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Latents of a reference pipeline that start from a picture, lie within a mask, or are made in two passes: metadata
/// `case` says how, `latents` what came of it, `context` and `negative` what the network attended to where the model
/// reads no prompts. `picture.png` and `mask.png` lie beside it.
public final class Img2ImgGolden {
    private static final double TOLERANCE = 1e-3;

    private Img2ImgGolden() {}

    public static boolean recognizes(SafetensorsFile file) {
        String description = file.metadata().getOrDefault("case", "");
        return description.contains("\"kind\"") && description.contains("\"denoise\"")
                && file.tensors().containsKey("latents");
    }

    /// Whether it was made by a network of nine channels, which is another model than the embedded one.
    public static boolean needsInpaintingModel(SafetensorsFile golden) {
        return golden.tensors().containsKey("context");
    }

    /// @throws Failure.NotBuilt for a sampler that this program does not have
    public static List<Deviation> compare(SafetensorsFile golden, DiffusionModel model, Engine engine) throws Failure {
        Generation generation = generation(golden, model);
        PromptEmbeddings embeddings = needsInpaintingModel(golden)
                ? new PromptEmbeddings(golden.read("context"), golden.read("negative"))
                : PromptEncoder.of(model, engine).encode(generation.prompt(), 1, List.of());
        if (!(new LatentSampler(model, engine, ignored -> {}).sample(generation, ConditioningSchedule.of(embeddings),
                StepListener.none()) instanceof SamplingResult.Finished(Tensor latents)))
            throw new IllegalStateException("nobody said stop");
        return List.of(Deviation.relative("latents", golden.read("latents"), latents, TOLERANCE));
    }

    static Generation generation(SafetensorsFile golden, DiffusionModel model) throws Failure {
        JsonObject description = caseOf(golden);
        try {
            int width = ImageGolden.side(description, "width", model);
            int height = ImageGolden.side(description, "height", model);
            SamplerName sampler = SamplerName
                    .of(model.scheduler().forClass(description.get("scheduler").getAsString()));
            GenerationSettings settings = GenerationSettings.of(ImageGolden.sampling(sampler, description),
                    description.get("guidance").getAsDouble(), width, height);
            PromptPair prompt = new PromptPair(description.has("prompt") ? description.get("prompt").getAsString() : "",
                    "");
            Generation base = new Generation(prompt, settings, description.get("seed").getAsLong(), List.of());
            double denoisingStrength = description.get("denoise").getAsDouble();
            Path folder = golden.file().toAbsolutePath().getParent();
            return switch (description.get("kind").getAsString()) {
                case "hires" -> base.with(new Hires(description.get("scale").getAsDouble(), denoisingStrength));
                case "img2img" -> base.withSource(
                        new Source.FromImage(image(folder, width, height), Optional.empty(), denoisingStrength));
                default -> base.withSource(new Source.FromImage(image(folder, width, height),
                        Optional.of(mask(folder, width, height)), denoisingStrength));
            };
        } catch (RuntimeException e) {
            throw new Failure.Unreadable(
                    golden.file() + ": metadata \"case\": expected kind, seed, scheduler, steps, guidance and denoise: "
                            + e.getMessage(),
                    e);
        }
    }

    private static JsonObject caseOf(SafetensorsFile file) throws Failure {
        return Json.parse(file.file() + ": metadata \"case\"", file.metadata().getOrDefault("case", "")).object();
    }

    /// Stretched to the size, as the script does; what is of that size already is not cropped.
    private static RgbImage image(Path folder, int width, int height) throws Failure {
        return ImageFiles.read(folder.resolve("picture.png")).resize(width, height);
    }

    private static Mask mask(Path folder, int width, int height) throws Failure {
        return new Mask(
                Mask.of(ImageFiles.read(folder.resolve("mask.png")))
                        .grayscale()
                        .resize(width, height, Resampling.BILINEAR));
    }
}
