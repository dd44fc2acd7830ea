package atomstudio.app.pipeline;

import atomstudio.app.runtime.BuildInfo;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.tuning.method.TextualInversion;
import java.util.Locale;
import java.util.Optional;

/// Writes generation parameters as A1111's infotext, with that program's keys where it has them.
/// Source: AUTOMATIC1111's stable-diffusion-webui, its infotext.
final class GenerationInfotext {
    static final String ETA = "Eta";
    static final String ETA_DDIM = "Eta DDIM";
    static final String CFG_RESCALE = "CFG Rescale";
    static final String PREDICTION = "Prediction";
    static final String DENOISING_STRENGTH = "Denoising strength";
    static final String HIRES_UPSCALE = "Hires upscale";
    static final String HIRES_RESIZE = "Hires resize";
    static final String HIRES_UPSCALER = "Hires upscaler";
    /// Linear upscaling of the latents, the only upscaler here.
    static final String LATENT_UPSCALER = "Latent";
    static final String INPAINT_AREA = "Inpaint area";
    /// The file name of the source image. A key of this program.
    static final String SOURCE_IMAGE = "Source picture";
    private static final String MODEL_HASH = "Model hash";
    private static final int HASH_DIGITS = 10;

    private GenerationInfotext() {}

    /// Names of what an image was generated from.
    /// @param modelHash SHA-256 of the model's file, in hex; empty for a folder, or if not computed yet
    /// @param sourceImage file name of the source image
    record Provenance(String model, Optional<String> modelHash, Optional<String> sourceImage) {
        static Provenance of(String model) {
            return new Provenance(model, Optional.empty(), Optional.empty());
        }
    }

    static Infotext of(Generation generation, Provenance provenance) {
        GenerationSettings settings = generation.settings();
        SamplingSettings sampling = settings.sampling();
        Infotext infotext = Infotext.of(generation.prompt().positive(), generation.prompt().negative())
                .withSteps(sampling.steps())
                .withSampler(sampling.sampler().title())
                .withScheduleType(sampling.schedule().title())
                .withGuidanceScale(settings.guidance().scale())
                .withSeed(generation.seed())
                .withSize(settings.width(), settings.height());
        if (provenance.modelHash.isPresent())
            infotext = infotext.with(MODEL_HASH, provenance.modelHash.get().substring(0, HASH_DIGITS));
        infotext = infotext.withModel(provenance.model);
        if (settings.clipSkip() != 1) infotext = infotext.withClipSkip(settings.clipSkip());
        infotext = withPasses(withNonDefaults(infotext, settings), generation);
        if (generation.source() instanceof Source.FromImage && provenance.sourceImage.isPresent())
            infotext = infotext.with(SOURCE_IMAGE, provenance.sourceImage.get());
        for (WeightedAdapter adapterWeight : generation.adapters()) infotext = withAdapter(infotext, adapterWeight);
        // The noise is drawn on the CPU; A1111 reads this key and draws the same noise.
        return infotext.with("RNG", "CPU").withVersion("Atom Studio " + BuildInfo.current().version());
    }

    /// Settings that are written only if they differ from the default.
    private static Infotext withNonDefaults(Infotext base, GenerationSettings settings) {
        Infotext infotext = base;
        SamplingSettings sampling = settings.sampling();
        if (sampling.eta().isPresent())
            infotext = infotext.with(sampling.sampler() == SamplerName.DDIM ? ETA_DDIM : ETA,
                    Infotext.formatNumber(sampling.eta().getAsDouble()));
        if (settings.guidance().rescale() != 0)
            infotext = infotext.with(CFG_RESCALE, Infotext.formatNumber(settings.guidance().rescale()));
        if (sampling.predictionType().isPresent())
            infotext = infotext.with(PREDICTION, sampling.predictionType().get().name().toLowerCase(Locale.ROOT));
        return infotext;
    }

    private static Infotext withPasses(Infotext base, Generation generation) {
        Infotext infotext = base;
        if (generation.source() instanceof Source.FromImage initImage) {
            infotext = infotext.with(DENOISING_STRENGTH, Infotext.formatNumber(initImage.denoisingStrength()));
            if (initImage.mask().isPresent()) infotext = infotext.with(INPAINT_AREA, "Whole picture");
        }
        if (generation.hires().isPresent()) {
            Generation.Hires hires = generation.hires().get();
            infotext = infotext.with(DENOISING_STRENGTH, Infotext.formatNumber(hires.denoisingStrength()))
                    .with(HIRES_UPSCALE, Infotext.formatNumber(hires.scale()))
                    .with(HIRES_UPSCALER, LATENT_UPSCALER);
        }
        return infotext;
    }

    private static Infotext withAdapter(Infotext infotext, WeightedAdapter adapterWeight) {
        Adapter adapter = adapterWeight.adapter();
        String hashes = adapter.adaptation() instanceof TextualInversion ? Infotext.EMBEDDING_HASHES
                : Infotext.LORA_HASHES;
        return infotext.withAdapter(adapter.name(), adapterWeight.weight(), adapterWeight.textWeight())
                .withHash(hashes, adapter.name(), adapter.fileHash());
    }
}
