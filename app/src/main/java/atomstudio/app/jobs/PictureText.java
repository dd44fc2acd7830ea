package atomstudio.app.jobs;

import atomstudio.diffusion.engine.Applied;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.Settings;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.picture.GenerationText;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.tuning.method.TextualInversion;
import java.util.Locale;
import java.util.Optional;

/// Everything that decides a picture, as the text that it carries. Keys that other programs have are theirs.
/// Source: AUTOMATIC1111's stable-diffusion-webui, its infotext.
final class PictureText {
    static final String ETA = "Eta";
    static final String ETA_OF_DDIM = "Eta DDIM";
    static final String RESCALE = "CFG Rescale";
    static final String PREDICTION = "Prediction";
    static final String DENOISE = "Denoising strength";
    static final String HIRES = "Hires upscale";
    static final String RESIZE = "Hires resize";
    static final String UPSCALER = "Hires upscaler";
    /// Enlarging the latents linearly, which is how it is done here.
    static final String LATENT = "Latent";
    static final String MASKED = "Inpaint area";
    /// Ours: the name of the picture that it started from.
    static final String SOURCE = "Source picture";
    private static final String MODEL_HASH = "Model hash";
    private static final int HASH_DIGITS = 10;

    private PictureText() {}

    /// What a picture is made of, by name.
    /// @param modelHash SHA-256 of the model's file, in hex; empty for a folder, or while nobody knows it
    /// @param picture   what it started from
    record Names(String model, Optional<String> modelHash, Optional<String> picture) {
        static Names of(String model) {
            return new Names(model, Optional.empty(), Optional.empty());
        }
    }

    static GenerationText of(Generation generation, Names names) {
        Settings settings = generation.settings();
        SamplingSettings way = settings.sampling();
        GenerationText text = GenerationText.of(generation.prompt().text(), generation.prompt().negative()).steps(way.steps())
                .sampler(way.sampler().title()).schedule(way.schedule().title()).guidance(settings.guidance().scale())
                .seed(generation.seed()).size(settings.width(), settings.height());
        if (names.modelHash.isPresent()) text = text.with(MODEL_HASH, names.modelHash.get().substring(0, HASH_DIGITS));
        text = text.model(names.model);
        if (settings.clipSkip() != 1) text = text.clipSkip(settings.clipSkip());
        text = passes(unusual(text, settings), generation);
        if (generation.source() instanceof Source.FromPicture && names.picture.isPresent()) text = text.with(SOURCE, names.picture.get());
        for (Applied applied : generation.adapters()) text = applied(text, applied);
        // Where its noise comes from: the web UI reads it and draws the same.
        return text.with("RNG", "CPU").version("Atom Studio " + Build.current().version());
    }

    /// What most pictures are made without.
    private static GenerationText unusual(GenerationText before, Settings settings) {
        GenerationText text = before;
        SamplingSettings way = settings.sampling();
        if (way.eta().isPresent()) text = text.with(way.sampler() == SamplerName.DDIM ? ETA_OF_DDIM : ETA, GenerationText.number(way.eta().getAsDouble()));
        if (settings.guidance().rescale() != 0) text = text.with(RESCALE, GenerationText.number(settings.guidance().rescale()));
        if (way.predictionType().isPresent()) text = text.with(PREDICTION, way.predictionType().get().name().toLowerCase(Locale.ROOT));
        return text;
    }

    private static GenerationText passes(GenerationText before, Generation generation) {
        GenerationText text = before;
        if (generation.source() instanceof Source.FromPicture picture) {
            text = text.with(DENOISE, GenerationText.number(picture.denoise()));
            if (picture.mask().isPresent()) text = text.with(MASKED, "Whole picture");
        }
        if (generation.hires().isPresent()) {
            Generation.Hires hires = generation.hires().get();
            text = text.with(DENOISE, GenerationText.number(hires.denoise())).with(HIRES, GenerationText.number(hires.scale())).with(UPSCALER, LATENT);
        }
        return text;
    }

    private static GenerationText applied(GenerationText text, Applied applied) {
        Adapter adapter = applied.adapter();
        String hashes = adapter.form() instanceof TextualInversion ? "TI hashes" : "Lora hashes";
        return text.adapter(adapter.name(), applied.strength(), applied.textStrength()).hash(hashes, adapter.name(), adapter.hash());
    }
}
