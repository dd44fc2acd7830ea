package atomstudio.app.verify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ConditioningSchedule;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.engine.GenerationBatch;
import atomstudio.diffusion.engine.LatentSampler;
import atomstudio.diffusion.engine.PromptEncoder;
import atomstudio.diffusion.engine.PromptEncoder.PromptEmbeddings;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.image.Resampling;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Golden latents of reference pipelines for img2img, inpainting and hires fix: metadata `case` has the settings
/// ([GoldenCase], kind, denoise, scale), `latents` the result, `context` and `negative` the prompt embeddings of models
/// without a text encoder. `picture.png` and `mask.png` lie beside the file.
final class Img2ImgGolden {
    private static final double TOLERANCE = 1e-3;

    private Img2ImgGolden() {}

    static boolean recognizes(SafetensorsFile file) {
        String description = file.metadata().getOrDefault("case", "");
        return description.contains("\"kind\"") && description.contains("\"denoise\"")
                && file.tensors().containsKey("latents");
    }

    /// Whether it belongs to an inpainting model, which the built-in model is not.
    static boolean needsInpaintingModel(SafetensorsFile golden) {
        return golden.tensors().containsKey("context");
    }

    /// @throws Failure.Unsupported for a sampler that is not supported
    static List<Deviation> compare(SafetensorsFile golden, DiffusionModel model, Engine engine) throws Failure {
        Generation generation = generation(golden, model);
        PromptEmbeddings embeddings = needsInpaintingModel(golden)
                ? new PromptEmbeddings(golden.read("context"), golden.read("negative"))
                : PromptEncoder.of(model, engine.textEncoder()).encode(generation.prompt(), 1, List.of());
        LatentSampler sampler = new LatentSampler(model, engine.noisePredictor(), engine.autoencoder());
        Tensor latents = sampler
                .sample(GenerationBatch.of(generation), ConditioningSchedule.of(embeddings), StepListener.none())
                .orElseThrow();
        return List.of(Deviation.relative("latents", golden.read("latents"), latents, TOLERANCE));
    }

    static Generation generation(SafetensorsFile golden, DiffusionModel model) throws Failure {
        GoldenCase goldenCase = GoldenCase.of(golden);
        Json json = goldenCase.json();
        Generation base = goldenCase.generation(model);
        double denoisingStrength = json.number("denoise");
        String kind = json.string("kind");
        if (kind.equals("hires")) return base.with(new Hires(json.number("scale"), denoisingStrength));
        int width = base.settings().width();
        int height = base.settings().height();
        Path folder = golden.file().toAbsolutePath().getParent();
        Optional<Mask> mask = kind.equals("img2img") ? Optional.empty() : Optional.of(mask(folder, width, height));
        return base.withSource(new Source.FromImage(image(folder, width, height), mask, denoisingStrength));
    }

    /// Resized as in the reference script, without cropping.
    private static RgbImage image(Path folder, int width, int height) throws Failure {
        return ImageFiles.read(folder.resolve("picture.png")).resize(width, height);
    }

    private static Mask mask(Path folder, int width, int height) throws Failure {
        RgbImage grey = Mask.of(ImageFiles.read(folder.resolve("mask.png"))).grayscale();
        return new Mask(grey.resize(width, height, Resampling.BILINEAR));
    }
}
