package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.Prompt;
import atomstudio.diffusion.engine.Generation.Settings;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.engine.PromptEncoder.Contexts;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.picture.Mask;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.Pictures;
import atomstudio.diffusion.picture.Resampling;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingResult;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.Safetensors;
import atomstudio.diffusion.tensor.Tensor;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Latents of a reference pipeline that start from a picture, lie within a mask, or are made in two passes: metadata `case` says how, `latents` what
/// came of it, `context` and `negative` what the network attended to where the model reads no prompts. `picture.png` and `mask.png` lie beside it.
public final class FromPictureGolden {
    private static final double TOLERANCE = 1e-3;

    private FromPictureGolden() {}

    public static boolean recognizes(Safetensors file) {
        String made = file.metadata().getOrDefault("case", "");
        return made.contains("\"kind\"") && made.contains("\"denoise\"") && file.tensors().containsKey("latents");
    }

    /// Whether it was made by a network of nine channels, which is another model than the embedded one.
    public static boolean ofAnInpaintingModel(Safetensors golden) {
        return golden.tensors().containsKey("context");
    }

    /// @throws Failure.NotBuilt for a sampler that this program does not have
    public static List<Deviation> compare(Safetensors golden, ModelFolder model, Engine engine) throws Failure {
        Generation generation = generation(golden, model);
        Contexts contexts = ofAnInpaintingModel(golden) ? new Contexts(golden.read("context"), golden.read("negative"))
                : PromptEncoder.of(model, engine).contexts(generation.prompt(), 1, List.of());
        if (!(new Painter(model, engine, unheard -> {}).paint(generation, Script.of(contexts), StepListener.none()) instanceof SamplingResult.Finished(Tensor latents))) throw new IllegalStateException("nobody said stop");
        return List.of(Deviation.relative("latents", golden.read("latents"), latents, TOLERANCE));
    }

    static Generation generation(Safetensors golden, ModelFolder model) throws Failure {
        JsonObject made = made(golden);
        try {
            int width = PictureGolden.side(made, "width", model);
            int height = PictureGolden.side(made, "height", model);
            SamplerName sampler = SamplerName.of(model.scheduler().forClass(made.get("scheduler").getAsString()));
            Settings settings = Settings.of(PictureGolden.sampling(sampler, made), made.get("guidance").getAsDouble(), width, height);
            Prompt prompt = new Prompt(made.has("prompt") ? made.get("prompt").getAsString() : "", "");
            Generation plain = new Generation(prompt, settings, made.get("seed").getAsLong(), List.of());
            double denoise = made.get("denoise").getAsDouble();
            Path folder = golden.file().toAbsolutePath().getParent();
            return switch (made.get("kind").getAsString()) {
                case "hires" -> plain.with(new Hires(made.get("scale").getAsDouble(), denoise));
                case "img2img" -> plain.from(new Source.FromPicture(picture(folder, width, height), Optional.empty(), denoise));
                default -> plain.from(new Source.FromPicture(picture(folder, width, height), Optional.of(mask(folder, width, height)), denoise));
            };
        } catch (RuntimeException e) {
            throw new Failure.Unreadable(golden.file() + ": metadata \"case\": expected kind, seed, scheduler, steps, guidance and denoise: " + e.getMessage(), e);
        }
    }

    private static JsonObject made(Safetensors file) throws Failure {
        return Json.parse(file.file() + ": metadata \"case\"", file.metadata().getOrDefault("case", "")).object();
    }

    /// Stretched to the size, as the script does; what is of that size already is not cropped.
    private static Picture picture(Path folder, int width, int height) throws Failure {
        return Pictures.read(folder.resolve("picture.png")).resize(width, height);
    }

    private static Mask mask(Path folder, int width, int height) throws Failure {
        return new Mask(Mask.of(Pictures.read(folder.resolve("mask.png"))).grey().resize(width, height, Resampling.BILINEAR));
    }
}
