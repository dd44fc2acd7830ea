package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.data.Captions;
import atomstudio.tuning.run.ControlPoint;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.TrainingEvent;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Class images generated with the base model: once for each [#cacheKey], cached in `prior` in the home folder, and
/// copied into the run.
record ClassImages(TrainingEnvironment environment, RunFolder run, RunInfo info, DiffusionModel model,
        DiffusionPipeline pipeline) {
    /// Enough for a small set of photos, few enough to generate quickly.
    static final int COUNT = 20;

    /// The run's class images; missing ones are copied from the cache or generated. Empty when stopped.
    Optional<List<RgbImage>> load(ControlPoint controlPoint, EventSink events, int step) throws Failure {
        Path cacheFolder = cacheFolder();
        List<RgbImage> images = new ArrayList<>();
        boolean announced = false;
        for (int i = 0; i < COUNT; i++) {
            String name = name(i);
            Path runFile = run.classImages().resolve(name);
            if (!Files.isRegularFile(runFile)) {
                Path cachedFile = cacheFolder.resolve(name);
                if (!Files.isRegularFile(cachedFile)) {
                    if (!announced)
                        events.emit(new TrainingEvent.Note(step,
                                "generating " + (COUNT - i) + " class images of \"" + info.subject().className()
                                        + "\" with the base model, once; they are cached in " + cacheFolder));
                    announced = true;
                    if (controlPoint.shouldStopBeforeTraining(step)) return Optional.empty();
                    Optional<RgbImage> generated = pipeline.generate(generation(i), controlPoint.samplingListener());
                    if (generated.isEmpty()) {
                        controlPoint.shouldStopBeforeTraining(step);
                        return Optional.empty();
                    }
                    PngWriter.write(cachedFile, generated.get(), Map.of());
                }
                PngWriter.write(runFile, ImageFiles.read(cachedFile), Map.of());
            }
            images.add(ImageFiles.read(runFile));
        }
        return Optional.of(images);
    }

    /// How many are not cached yet.
    int missing() throws Failure {
        Path cacheFolder = cacheFolder();
        return (int) IntStream.range(0, COUNT).filter(i -> !Files.isRegularFile(cacheFolder.resolve(name(i)))).count();
    }

    private Path cacheFolder() throws Failure {
        return environment.home().resolve("prior").resolve(cacheKey());
    }

    private static String name(int i) {
        return String.format(Locale.ROOT, "%02d.png", i);
    }

    private List<String> prompts() {
        return Captions.forClass(info.subject().className(), info.config().requested()).defaults();
    }

    private Generation generation(int i) throws Failure {
        return new Generation(new Generation.PromptPair(prompts().get(i % prompts().size()), ""),
                PreviewGenerator.generationSettings(model), i, List.of());
    }

    /// A hash of everything that the images depend on except the machine's rounding: the weights and the architecture
    /// of all networks, the scheduler config, the sampling settings, and the prompts as token ids.
    String cacheKey() throws Failure {
        Tokenizer tokenizer = model.tokenizer();
        List<String> parts = new ArrayList<>(
                List.of(environment.baseModelHashes().hash(model, model.components().keySet()),
                        values(model.unet()), values(model.vae()), values(model.textEncoder()),
                        values(model.scheduler()), values(PreviewGenerator.generationSettings(model))));
        for (String prompt : prompts()) parts.add(prompt + " " + Arrays.toString(tokenizer.encode(prompt)));
        parts.add(Arrays.toString(tokenizer.encodePadded("").ids()));
        info.baseModel().merged().ifPresent(merged -> parts.add(merged.sha256() + " " + merged.weight()));
        return Sha256.of(String.join("\n", parts).getBytes(StandardCharsets.UTF_8)).substring(0, 16);
    }

    /// The values of a record and of the records in it, without the names of types and components, so that renaming
    /// them does not change the hash.
    private static String values(Object value) {
        return switch (value) {
            case Record composite -> Arrays.stream(composite.getClass().getRecordComponents())
                    .map(component -> values(component(composite, component)))
                    .collect(Collectors.joining(",", "(", ")"));
            case List<?> list -> list.stream().map(ClassImages::values).collect(Collectors.joining(",", "[", "]"));
            case Optional<?> optional -> optional.map(ClassImages::values).orElse("-");
            default -> value.toString();
        };
    }

    private static Object component(Record composite, RecordComponent component) {
        try {
            component.getAccessor().setAccessible(true);
            return component.getAccessor().invoke(composite);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(component + " of " + composite, e);
        }
    }
}
