package atomstudio.app.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.pipeline.GenerationInfotext.Provenance;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.tuning.method.FilterAtoms;
import atomstudio.tuning.method.TextualInversion;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Generation parameters that are written to images and read back.
class GenerationInfotextTest {
    private static final PromptPair PROMPT = new PromptPair("a (sks car:1.2), [trees]\nBREAK snow",
            "blurry, (bad:1.1)");

    private static Generation generation(SamplingSettings sampling) {
        return new Generation(PROMPT, new GenerationSettings(sampling, Guidance.of(7.5), 1, 512, 640), 42, List.of());
    }

    private static GenerationParameters read(Infotext text) {
        return new GenerationParameters(Infotext.parse(text.format()));
    }

    @Test
    void samplersAndSchedulesRoundTrip() {
        for (SamplerName sampler : SamplerName.values()) {
            for (ScheduleName schedule : ScheduleName.values()) {
                GenerationParameters parameters = read(GenerationInfotext.of(
                        generation(SamplingSettings.of(sampler, schedule, 30)), Provenance.of("Small, illustrated")));
                assertEquals(Optional.of(sampler), parameters.sampler());
                assertEquals(Optional.of(schedule), parameters.schedule());
                assertEquals(PROMPT, parameters.prompt());
                assertEquals(OptionalInt.of(30), parameters.steps());
                assertEquals(OptionalDouble.of(7.5), parameters.guidanceScale());
                assertEquals(OptionalLong.of(42), parameters.seed());
                assertEquals(Optional.of(new GenerationParameters.ImageSize(512, 640)), parameters.size());
                assertEquals(Optional.of("Small, illustrated"), parameters.model());
            }
        }
    }

    @Test
    void nonDefaultSettingsRoundTrip() {
        SamplingSettings plain = SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 20);
        GenerationParameters usual = read(GenerationInfotext.of(generation(plain), Provenance.of("m")));
        assertEquals(
                List.of(OptionalInt.empty(), OptionalDouble.empty(), OptionalDouble.empty(), Optional.empty(),
                        Optional.empty()),
                List.of(usual.clipSkip(), usual.eta(), usual.guidanceRescale(), usual.prediction(), usual.hires()));
        Generation unusual = new Generation(PROMPT,
                new GenerationSettings(plain.withEta(0.5).withPredictionType(PredictionType.V), new Guidance(7.5, 0.7),
                        2, 512, 512),
                1, List.of()).with(new Hires(1.5, 0.4));
        GenerationParameters parameters = read(GenerationInfotext.of(unusual, Provenance.of("m")));
        assertEquals(OptionalInt.of(2), parameters.clipSkip());
        assertEquals(OptionalDouble.of(0.5), parameters.eta());
        assertEquals(OptionalDouble.of(0.7), parameters.guidanceRescale());
        assertEquals(Optional.of(PredictionType.V), parameters.prediction());
        assertEquals(Optional.of(new Hires(1.5, 0.4)), parameters.hires());
    }

    @Test
    void usesTheKeysOfOtherPrograms() {
        Adapter atoms = new Adapter("car", "0123456789abcdef", new FilterAtoms(9), Map.of()),
                words = new Adapter("bad: hands", "fedcba9876543210", new TextualInversion(2), Map.of());
        Generation generation = new Generation(PROMPT,
                GenerationSettings.of(SamplingSettings.of(SamplerName.EULER, ScheduleName.KARRAS, 20), 7, 512, 512), 1,
                List.of(new WeightedAdapter(atoms, 0.8), new WeightedAdapter(words, 1)))
                .withSource(new Source.FromImage(RgbImage.filled(8, 8, 0), Optional.empty(), 0.6));
        String line = GenerationInfotext
                .of(generation,
                        new Provenance("sd-v1-5",
                                Optional.of("6ce0161689b3853acaa03779ec93eafe75a02f4ced659bee03f50797806fa2fa"),
                                Optional.of("table.png")))
                .format()
                .lines()
                .toList()
                .getLast();
        assertTrue(line.startsWith(
                "Steps: 20, Sampler: Euler, Schedule type: Karras, CFG scale: 7, Seed: 1, Size: 512x512, Model hash: "
                        + "6ce0161689, Model: sd-v1-5, Denoising strength: 0.6, Source picture: table.png, "
                        + "Adapter: car, Adapter strength: 0.8, Lora hashes: \"car: 0123456789ab\", Adapter 2: "
                        + "\"bad: hands\", Adapter 2 strength: 1, TI hashes: \"bad hands: fedcba987654\", RNG: CPU, "
                        + "Version: Atom Studio "),
                line);
    }

    @Test
    void sourceImageAndHiresPassRoundTrip() {
        Generation plain = generation(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 20));
        GenerationParameters noise = read(
                GenerationInfotext.of(plain, new Provenance("m", Optional.empty(), Optional.of("old.png"))));
        assertEquals(List.of(false, false, Optional.empty(), OptionalDouble.empty()),
                List.of(noise.isImageToImage(), noise.isMasked(), noise.sourceImageName(), noise.denoisingStrength()));
        Generation within = plain
                .withSource(new Source.FromImage(RgbImage.filled(8, 8, 0), Optional.of(Mask.white(8, 8)), 0.45));
        GenerationParameters masked = read(
                GenerationInfotext.of(within, new Provenance("m", Optional.empty(), Optional.of("a, b.png"))));
        assertEquals(List.of(true, true, Optional.of("a, b.png"), OptionalDouble.of(0.45)), List
                .of(masked.isImageToImage(), masked.isMasked(), masked.sourceImageName(), masked.denoisingStrength()));
        GenerationParameters both = read(GenerationInfotext.of(within.with(new Hires(2, 0.45)),
                new Provenance("m", Optional.empty(), Optional.of("a.png"))));
        assertEquals(List.of(true, Optional.of(new Hires(2, 0.45))), List.of(both.isImageToImage(), both.hires()));
        GenerationParameters others = new GenerationParameters(Infotext.parse(
                "x\nSteps: 20, Sampler: Euler a, Denoising strength: 0.5, Mask blur: 4, Inpaint area: Only masked"));
        assertEquals(List.of(true, true, Optional.empty()),
                List.of(others.isImageToImage(), others.isMasked(), others.sourceImageName()));
    }

    @Test
    void readsImagesOfOtherPrograms(@TempDir Path folder) throws Exception {
        String other = "a castle\nNegative prompt: fog\nSteps: 28, Sampler: DPM++ 2M SDE Karras, CFG scale: 6.5, "
                + "Seed: 987654321, Size: 768x512, Model hash: 6ce0161689, Model: v1-5-pruned, Clip skip: 2, ENSD: "
                + "31337";
        PngWriter.write(folder.resolve("other.png"), RgbImage.filled(8, 8, 0), Map.of(Infotext.PNG_KEYWORD, other));
        GenerationParameters parameters = GenerationParameters.read(folder.resolve("other.png")).orElseThrow();
        assertEquals(Optional.of(SamplerName.DPM_PLUS_PLUS_2M_SDE), parameters.sampler());
        assertEquals(Optional.of(ScheduleName.KARRAS), parameters.schedule());
        assertEquals(OptionalInt.of(2), parameters.clipSkip());
        PngWriter.write(folder.resolve("photo.png"), RgbImage.filled(8, 8, 0), Map.of("Title", "a photo"));
        assertEquals(Optional.empty(), GenerationParameters.read(folder.resolve("photo.png")));
        GenerationParameters odd = new GenerationParameters(
                Infotext.parse("x\nSteps: many, Sampler: Restart, Seed: 1e3, Size: big, CFG scale: NaN"));
        assertEquals(
                List.of(OptionalInt.empty(), Optional.empty(), OptionalLong.empty(), Optional.empty(),
                        OptionalDouble.empty()),
                List.of(odd.steps(), odd.sampler(), odd.seed(), odd.size(), odd.guidanceScale()));
    }
}
