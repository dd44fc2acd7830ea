package atomstudio.app.cli;

import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.ImageGenerator;
import atomstudio.app.pipeline.PromptAdapters;
import atomstudio.app.pipeline.SafetyFilter;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.image.ImageMetadata;
import atomstudio.diffusion.image.PngAttachment;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.Seed;
import atomstudio.diffusion.sample.StepListener.Next;
import atomstudio.tuning.adapter.FileHashes;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// `studio generate`: pictures from a prompt, with an adapter or without.
@Command(
        name = "generate",
        description = "Makes pictures from a prompt.",
        footer = {"", "Examples:", "  studio generate --prompt \"a red apple on a table\" --out apple.png",
                "  studio generate --prompt \"a sks car in the snow\" --adapter car.safetensors --count 4 --seed 1 --out car.png",
                "  studio generate --prompt \"a (sks car:1.2) in the snow, [trees]\" --adapter car.safetensors --strength 0.8 --adapter style.pt --out both.png",
                "  studio generate --model ~/models/stable-diffusion-v1-5 --prompt \"a lighthouse\" --sampler dpmpp-2m --schedule karras --out lighthouse.png",
                "  studio generate --prompt \"a red car in the snow\" --image car.png --denoise 0.6 --out snow.png",
                "  studio generate --prompt \"a red apple\" --image table.png --mask where.png --denoise 0.9 --out apple.png",
                "",
                "In prompts (word) counts for 1.1 times as much, (word:1.3) for 1.3 times, [word] for 1 / 1.1; \\( is a bracket itself; BREAK ends a chunk. [from:to:0.4] changes the prompt after 0.4 of the steps, [from:to:10] after 10 of them, [cat|dog] with every step. <lora:NAME:0.8> applies an adapter of ~/.atomstudio/adapters, or a run, at a weight of -10 to 10; <lora:NAME:0.5:1> has one for the text encoder and one for the UNet. A prompt may have up to 100,000 letters."})
final class GenerateCommand implements Callable<Integer> {
    private static final int MAX_IMAGES = 10_000;

    private final CommandContext context;

    @Option(names = "--prompt", paramLabel = "TEXT", required = true,
            description = "What the picture should show; may be empty.")
    private String prompt = "";

    @Mixin
    private BaseModelOptions modelOptions = new BaseModelOptions();

    @Option(names = "--seed", paramLabel = "N", converter = SeedConverter.class,
            description = "Equal seeds give equal pictures. Default: random, printed.")
    private @Nullable Long seed;

    @Option(names = "--count", paramLabel = "N", defaultValue = "1",
            description = "Pictures; picture k has seed + k and goes to FILE-k.png. Default: ${DEFAULT-VALUE}.")
    private int count;

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private ImageToImageOptions source = new ImageToImageOptions();

    @Mixin
    private PreviewOption previewOption = new PreviewOption();

    @Mixin
    private AdapterOptions adapters = new AdapterOptions();

    @Option(names = "--safety", paramLabel = "on|off", defaultValue = "ON", converter = SafetyConverter.class,
            description = "The safety checker of a model that brings one: pictures it takes for unsafe are black. Default: on.")
    private SafetyFilter safetyFilter = SafetyFilter.ON;

    @Mixin
    private DeviceOption device = new DeviceOption();

    @Mixin
    private EngineOption engine = new EngineOption();

    @Option(names = "--out", paramLabel = "FILE.png", required = true, description = "Where the picture goes.")
    private Path out = Path.of("");

    @Option(names = "--overwrite", description = "Replace pictures that are there.")
    private boolean overwrite;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Spec
    private CommandSpec spec;

    GenerateCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        List<Path> files = outputFiles();
        PromptAdapters promptAdapters = PromptAdapters.parse(sampling.prompt(prompt), context.home());
        promptAdapters.warnings().forEach(context.terminal()::printNote);
        DiffusionModel model = modelOptions.reference(context, sampling.prediction()).open();
        model.warnings().forEach(context.terminal()::printNote);
        GenerationSettings settings = sampling.settings(context, model);
        long firstSeed = seed != null ? seed : new SecureRandom().nextInt() & 0xFFFF_FFFFL;
        AdapterOptions.LoadedAdapters loadedAdapters = adapters.load(context, model, promptAdapters);
        Generation generation = source.apply(
                new Generation(promptAdapters.prompt(), settings, firstSeed, loadedAdapters.weights()),
                context.terminal());
        try (ImageGenerator generator = ImageGenerator.open(model, device.device(), engine.engineName(),
                context.terminal()::printNote)) {
            generator.setSafetyFilter(safetyFilter);
            generator.computeModelHash(new FileHashes(context.home().baseHashes()));
            previewOption.openDecoder(generator, device.device());
            int exitCode = generate(generator, new ImageBatch(generation, loadedAdapters.attachments()), files);
            AdapterOptions.warnAboutBaseModel(context, loadedAdapters);
            return exitCode;
        }
    }

    static final class SeedConverter implements ITypeConverter<Long> {
        @Override
        public Long convert(String value) {
            return Seed.parse(value)
                    .orElseThrow(
                            () -> new TypeConversionException("expected " + Seed.RANGE + ", found \"" + value + "\""));
        }
    }

    static final class SafetyConverter implements ITypeConverter<SafetyFilter> {
        @Override
        public SafetyFilter convert(String value) {
            return switch (value.toLowerCase(Locale.ROOT)) {
                case "on" -> SafetyFilter.ON;
                case "off" -> SafetyFilter.OFF;
                default -> throw new TypeConversionException("expected on or off, found \"" + value + "\"");
            };
        }
    }

    /// What is made, and what the pictures carry along.
    private record ImageBatch(Generation generation, List<PngAttachment> attachments) {}

    private int generate(ImageGenerator generator, ImageBatch batch, List<Path> files) throws Failure {
        Generation generation = batch.generation;
        int steps = generator.stepCount(generation);
        long startNanos = System.nanoTime();
        JsonArray images = new JsonArray();
        try (StopSignal.Registration registration = context.stopSignal().register();
                ProgressBar progress = ProgressBar.of(context.terminal(), "generating", steps * files.size())) {
            for (int k = 0; k < files.size(); k++) {
                int completedSteps = k * steps;
                Generation request = generation.withSeed(generation.seed() + k);
                Optional<RgbImage> image;
                try (PreviewOption.PreviewFile previewFile = previewOption.start(generator, files.get(k))) {
                    image = generator.generate(request, step -> {
                        progress.update(Math.min(completedSteps + step.completedSteps(), completedSteps + steps));
                        if (context.stopSignal().requested()) return Next.STOP;
                        previewFile.update(step.denoised());
                        return Next.CONTINUE;
                    });
                }
                if (image.isEmpty()) return reportCancelled(k);
                PngWriter.write(files.get(k), image.get(),
                        new ImageMetadata(generator.infotext(request, source.imageName()), batch.attachments));
                images.add(imageJson(files.get(k), request.seed()));
                if (!json) {
                    progress.close();
                    context.terminal().printResult(files.get(k) + "  seed " + Seed.format(request.seed()));
                }
            }
        }
        if (json)
            context.terminal().printResult(json(generation, images, (System.nanoTime() - startNanos) / 1e9).toString());
        return ExitCode.SUCCESS;
    }

    private int reportCancelled(int done) {
        context.terminal().printNote("Cancelled; " + done + (done == 1 ? " picture is" : " pictures are") + " done.");
        return ExitCode.CANCELLED;
    }

    /// Where the pictures go; none of them may be there.
    private List<Path> outputFiles() throws Failure {
        if (count < 1 || count > MAX_IMAGES)
            throw usageError("--count: expected 1 to " + MAX_IMAGES + ", found " + count);
        String name = out.getFileName() == null ? "" : out.getFileName().toString();
        if (!name.toLowerCase(Locale.ROOT).endsWith(".png"))
            throw usageError("--out: expected a file that ends in .png, found " + out);
        String stem = name.substring(0, name.length() - 4);
        List<Path> files = count == 1 ? List.of(out)
                : IntStream.range(0, count)
                        .mapToObj(k -> out.resolveSibling(stem + "-" + k + name.substring(stem.length())))
                        .toList();
        for (Path file : files) {
            if (Files.exists(file) && !overwrite)
                throw new Failure.Conflict(file + ": is there already; choose another --out or add --overwrite");
        }
        return files;
    }

    private ParameterException usageError(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private static JsonObject imageJson(Path file, long seed) {
        JsonObject json = new JsonObject();
        json.addProperty("file", file.toString());
        json.addProperty("seed", new BigInteger(Seed.format(seed)));
        return json;
    }

    private static JsonObject json(Generation generation, JsonArray images, double seconds) {
        GenerationSettings settings = generation.settings();
        JsonObject json = new JsonObject();
        json.addProperty("prompt", generation.prompt().positive());
        json.addProperty("negative", generation.prompt().negative());
        json.addProperty("sampler", settings.sampling().sampler().option());
        json.addProperty("schedule", settings.sampling().schedule().option());
        json.addProperty("steps", settings.sampling().steps());
        settings.sampling().eta().ifPresent(eta -> json.addProperty("eta", eta));
        json.addProperty("guidance", settings.guidance().scale());
        if (settings.guidance().rescale() != 0) json.addProperty("guidanceRescale", settings.guidance().rescale());
        json.addProperty("width", settings.width());
        json.addProperty("height", settings.height());
        if (generation.source() instanceof Generation.Source.FromImage initImage)
            json.addProperty("denoise", initImage.denoisingStrength());
        generation.hires().ifPresent(hires -> {
            json.addProperty("hires", hires.scale());
            json.addProperty("denoise", hires.denoisingStrength());
        });
        json.add("pictures", images);
        json.addProperty("seconds", seconds);
        return json;
    }

    /// `--engine`, for commands that make pictures. Use it as a picocli mixin.
    static final class EngineOption {
        @Option(names = "--engine", paramLabel = "auto|onnx|torch", converter = EngineConverter.class,
                defaultValue = "auto",
                description = "What runs the networks. auto: onnx, or for a large model on a processor with bfloat16 units torch, whose pictures differ by rounding. Default: ${DEFAULT-VALUE}.")
        private EngineName engine = EngineName.AUTO;

        EngineName engineName() {
            return engine;
        }

        private static final class EngineConverter implements ITypeConverter<EngineName> {
            @Override
            public EngineName convert(String value) {
                return EngineName.ofOption(value)
                        .orElseThrow(() -> new TypeConversionException(
                                "expected auto, onnx or torch, found \"" + value + "\""));
            }
        }
    }
}
