package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.data.Captions;
import atomstudio.tuning.run.ControlPoint;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.TrainingEvent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// Pictures of a class as the base model makes them: once for all that they depend on, kept in the home folder, and
/// copied into the run, which needs the home no more.
/// @param environment `prior` in its home holds a folder for each [#cacheKey]
record ClassImages(TrainingEnvironment environment, RunFolder run, RunInfo info, DiffusionModel model,
        DiffusionPipeline textToImage) {
    /// How many are made: enough for a small set of pictures, few enough to wait for.
    static final int COUNT = 20;

    /// Those of the run, in order; what is missing is copied from the home or made. Empty when told to stop.
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
                                "making " + (COUNT - i) + " pictures of \"" + info.subject().className()
                                        + "\" with the base model, once; " + cacheFolder + " keeps them"));
                    announced = true;
                    if (controlPoint.shouldStopBeforeTraining(step)) return Optional.empty();
                    Optional<RgbImage> generated = textToImage.generate(generation(i), controlPoint.samplingListener());
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

    /// How many of them have still to be made.
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

    /// Names everything that the pictures depend on: the weights of all three networks, what the networks are made
    /// like, the noise schedule with what the UNet predicts, how pictures are sampled, the prompts and how they are
    /// read. The machine's rounding is left out.
    String cacheKey() throws Failure {
        Tokenizer tokenizer = model.tokenizer();
        List<String> parts = new ArrayList<>(
                List.of(environment.baseModelHashes().hash(model, EnumSet.allOf(ModelComponent.class)),
                        model.unet().toString(), model.vae().toString(), model.textEncoder().toString(),
                        model.scheduler().toString(), PreviewGenerator.generationSettings(model).toString()));
        for (String prompt : prompts()) parts.add(prompt + " " + Arrays.toString(tokenizer.encode(prompt)));
        parts.add(Arrays.toString(tokenizer.encodePadded("").ids()));
        return Sha256.of(String.join("\n", parts).getBytes(StandardCharsets.UTF_8)).substring(0, 16);
    }
}
