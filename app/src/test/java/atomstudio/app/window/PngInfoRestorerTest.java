package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.compare.CompareTable;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.ImageSettings;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.generate.SubjectPrompt;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.pipeline.GenerationParameters;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.image.ImageMetadata;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.PngAttachment;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterSource;
import atomstudio.tuning.adapter.EmbeddingFile;
import atomstudio.tuning.method.MethodName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Saved images dropped on the window.
class PngInfoRestorerTest {
    @TempDir
    Path folder;
    private WindowViewModel window;
    private String model;

    @BeforeEach
    void open() {
        window = new WindowViewModel(new FakeServices(folder.resolve("home"), new InlineJobs()).services);
        window.load();
        model = window.models().current().get().name();
    }

    private Infotext text(String prompt) {
        return Infotext.of(prompt, "blurry")
                .withSteps(30)
                .withSampler("DPM++ 2M")
                .withScheduleType("Karras")
                .withGuidanceScale(6.5)
                .withSeed(77)
                .withSize(192, 128)
                .withModel(model);
    }

    private Path drop(String name, Infotext text, PngAttachment... attachments) throws Exception {
        Path file = folder.resolve(name);
        PngWriter.write(file, RgbImage.filled(8, 8, 0x00FF00), new ImageMetadata(text, List.of(attachments)));
        window.drops().drop(List.of(file));
        return file;
    }

    private static PngAttachment embedding(String name, String word) {
        return new PngAttachment(name,
                SafetensorsWriter.toBytes(Map.of(word, Tensor.filled(Shape.of(2, 8), 0.5f)), Map.of(), DType.F16));
    }

    @Test
    void imageOfRunRestoresSubjectPage() throws Exception {
        window.start().useSample(window.start().samples().getFirst());
        SubjectPageViewModel car = window.subjects().pages().getFirst();
        car.train().start(MethodName.LORA);
        car.train().start(MethodName.LORA);
        window.open(Screen.SETTINGS);
        drop("car.png", text("a 3d (sks car:1.2)\nin the snow").withAdapter("car-lora", 0.7).with("Clip skip", "2"));
        assertEquals(new WindowPage.SubjectPage(car), window.page().get());
        assertEquals(new SubjectPrompt("a 3d (", SubjectPrompt.Mention.SUBJECT, ":1.2) in the snow"),
                car.generate().prompt().get());
        ImageSettings settings = car.generate().settings().get();
        assertEquals(new ImageSettings.Seeds(77, 1), settings.seeds());
        assertEquals(SamplerName.DPM_PLUS_PLUS_2M, settings.sampling().sampler());
        assertEquals(ScheduleName.KARRAS, settings.sampling().schedule());
        assertEquals(List.of(30, 2), List.of(settings.sampling().steps(), settings.sampling().clipSkip()));
        assertEquals(6.5, settings.sampling().guidance().scale());
        assertEquals("192 × 128", settings.size().toString());
        assertEquals("blurry", settings.negativePrompt());
        CompareTable.CompareRow row = car.compare().rows().getLast();
        assertEquals("car-lora", row.adapter().runName(), "the older of two runs is a row");
        assertEquals(0.7, row.strength());
        assertEquals("From car.png: " + model + ", car-lora, seed 77, DPM++ 2M. Press Generate to recreate it.",
                window.status().message().get());
    }

    @Test
    void embeddedAdaptersAreRestored() throws Exception {
        Path file = drop("other.png",
                text("a <cat-toy>").withAdapter("toy", 0.6)
                        .withAdapter("large", 1)
                        .with("Denoising strength", "0.4")
                        .with("Hires upscale", "1.5"),
                embedding("toy", "<cat-toy>"));
        assertInstanceOf(WindowPage.GeneratePage.class, window.page().get());
        ImageSettings settings = ((WindowPage.GeneratePage) window.page().get()).generate().settings().get();
        assertEquals(1, settings.adapters().size());
        SelectedAdapter toy = settings.adapters().getFirst();
        assertEquals(0.6, toy.weight());
        assertEquals(OptionalDouble.of(1.5), settings.source().hiresScale());
        assertEquals(0.4, settings.source().denoisingStrength());
        assertTrue(window.status().message().get().contains("missing the adapter “large”."),
                window.status().message().get());
        Files.delete(file);
        AdapterSource.NamedAdapter found = AdapterSource.read(toy.file()).getFirst();
        assertEquals("toy", found.name());
        assertEquals("<cat-toy>", assertInstanceOf(EmbeddingFile.class, found.source()).word(),
                "saved to a file");
    }

    @Test
    void missingPartsAreReported() throws Exception {
        drop("web.png", Infotext.parse(
                "a castle\nSteps: 28, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 64x64, Model: v1-5-pruned, "
                        + "Denoising strength: 0.6"));
        assertEquals(
                "From web.png: seed 5, Euler a. The result will differ: missing the model “v1-5-pruned”, the source "
                        + "image.",
                window.status().message().get());
        assertEquals(0.6, generate().settings().get().source().denoisingStrength());
        assertEquals(model, window.models().current().get().name());
        assertEquals(new SubjectPrompt("", SubjectPrompt.Mention.NONE, "a castle"),
                ((WindowPage.GeneratePage) window.page().get()).generate().prompt().get());
    }

    @Test
    void missingSourceImageIsReported() throws Exception {
        drop("second.png",
                text("a castle").with("Denoising strength", "0.6")
                        .with("Inpaint area", "Whole picture")
                        .with("Source picture", "table.png"));
        assertEquals(
                "second.png was generated from the image table.png with a mask. Choose it under “Image to image…” in "
                        + "the settings and paint its mask; without it, generation starts from noise.",
                generate().source().missingSource().get());
        generate().source().setImage("table.png", RgbImage.filled(8, 8, 0xFF0000));
        assertEquals("", generate().source().missingSource().get());
        assertEquals(0.6, generate().settings().get().source().denoisingStrength());
        drop("third.png", text("a castle"));
        assertEquals("", generate().source().missingSource().get());
    }

    private GenerateViewModel generate() {
        return ((WindowPage.GeneratePage) window.page().get()).generate();
    }

    @Test
    void severalFilesAreNotRestored() throws Exception {
        Path one = folder.resolve("1.png"), two = folder.resolve("2.png");
        for (Path file : List.of(one, two))
            PngWriter.write(file, RgbImage.filled(8, 8, 0x0000FF), new ImageMetadata(text("a dog"), List.of()));
        window.drops().drop(List.of(one, two));
        assertEquals(2, window.subjects().pages().getFirst().subject().photos().size());
    }

    private String statusOf(String name, Infotext text) throws Exception {
        drop(name, text);
        return window.status().message().get();
    }

    @Test
    void unsupportedSettingsAreReported() throws Exception {
        assertTrue(statusOf("a.png", text("x").withSampler("Restart"))
                .contains("missing the sampler “Restart”."), window.status().message().get());
        assertTrue(statusOf("b.png", text("x").withScheduleType("KL Optimal"))
                .contains("missing the schedule “KL Optimal”."), window.status().message().get());
        SamplerName without = Stream.of(SamplerName.values())
                .filter(name -> !name.schedules().contains(ScheduleName.KARRAS))
                .findFirst()
                .orElseThrow();
        assertTrue(statusOf("c.png", text("x").withSampler(without.title()).withScheduleType("Karras"))
                .contains("the schedule “Karras” with this sampler"), window.status().message().get());
        assertTrue(statusOf("d.png", text("x").with("Variation seed", "5").with("Variation seed strength", "0.1"))
                .contains("“Variation seed: 5”, “Variation seed strength: 0.1”"), window.status().message().get());
        assertTrue(statusOf("e.png", text("x").with("RNG", "NV")).contains("the noise of “RNG: NV”"),
                window.status().message().get());
        assertTrue(
                statusOf("f.png", text("x").with("Version", "v1.10.1"))
                        .contains("provided its noise came from the CPU"),
                window.status().message().get());
        assertTrue(statusOf("g.png", text("x").with("Seed", "many")).contains("the seed “many”"),
                window.status().message().get());
    }

    @Test
    void differingHiresPassIsReported() throws Exception {
        Infotext passes = text("x").with("Denoising strength", "0.5").with("Hires upscaler", "Latent");
        assertTrue(
                statusOf("a.png", passes.with("Hires resize", "384x256")).endsWith(". Press Generate to recreate it."),
                window.status().message().get());
        assertEquals(OptionalDouble.of(2), generate().settings().get().source().hiresScale());
        assertEquals("", generate().source().missingSource().get());
        assertTrue(statusOf("b.png", passes.with("Hires resize", "300x256"))
                .contains("missing the second pass to 300x256."), window.status().message().get());
        Infotext upscaled = passes.with("Hires upscale", "2");
        assertTrue(statusOf("c.png", upscaled.with("Hires steps", "30")).endsWith(". Press Generate to recreate it."),
                window.status().message().get());
        assertTrue(statusOf("d.png", upscaled.with("Hires steps", "10").with("Hires upscaler", "R-ESRGAN 4x+"))
                .contains("“Hires upscaler: R-ESRGAN 4x+”, “Hires steps: 10”"), window.status().message().get());
        assertTrue(statusOf("e.png", upscaled.with("Hires prompt", "a dog, \"big\""))
                .contains("“Hires prompt: a dog, \"big\"”"), window.status().message().get());
        assertTrue(statusOf("f.png", passes.with("Hires upscale", "9")).contains("hires ×9"),
                window.status().message().get());
    }

    @Test
    void valuesOutOfRangeAreReported() throws Exception {
        String status = statusOf("a.png",
                text("x").withSteps(5000)
                        .withGuidanceScale(150)
                        .withClipSkip(40)
                        .withSize(4096, 100)
                        .with("CFG Rescale", "3")
                        .withAdapter("large", 1)
                        .with("Tiling", "True"));
        for (String part : List.of("5000 steps (using 1000)", "CFG scale 150 (using 100)", "clip skip 40 (using 12)"))
            assertTrue(status.contains(part), status);
        assertTrue(status.contains("more."), status);
        assertEquals(1000, generate().settings().get().sampling().steps());
        assertTrue(statusOf("b.png", text("x").withSize(4096, 100)).contains("the size 4096 × 100"),
                window.status().message().get());
    }

    @Test
    void restores64BitSeeds() throws Exception {
        assertTrue(
                statusOf("a.png", text("x").with("Seed", "18446744073709551615")).contains("seed 18446744073709551615"),
                window.status().message().get());
        assertTrue(window.status().message().get().endsWith("Press Generate to recreate it."),
                window.status().message().get());
        assertEquals(new ImageSettings.Seeds(-1, 1), generate().settings().get().seeds());
        assertEquals(List.of(-1L, 0L), new ImageSettings.Seeds(-1, 2).list());
        assertEquals("18446744073709551615", new ImageSettings.Seeds(-1, 1).toString());
        drop("b.png", text("x").with("Seed", "18446744073709551616"));
        assertTrue(window.status().message().get().contains("missing the seed “18446744073709551616”"),
                window.status().message().get());
    }

    @Test
    void restoresSampleFiles() throws Exception {
        Map<String, String> expected = Map.of("png-unknown-sampler/restart.png", "the sampler “Restart”",
                "png-unknown-sampler/kl-optimal.png", "the schedule “KL Optimal”",
                "png-hires/resize.png", "Press Generate to recreate it", "png-hires/steps.png", "“Hires steps: 10”",
                "png-lines-after-settings/template.png", "seed 3, Euler a", "png-one-bad-text/bad.png", "seed 3, Euler",
                "seed-of-64-bits/seed.png", "seed 18446744073709551615");
        for (Map.Entry<String, String> one : expected.entrySet()) {
            window.drops().drop(List.of(Shared.file("cases/" + one.getKey())));
            assertTrue(window.status().message().get().contains(one.getValue()),
                    one.getKey() + ": " + window.status().message().get());
        }
        assertTrue(GenerationParameters.read(Shared.file("cases/png-prompt-of-colons/colons.png")).isEmpty());
    }
}
