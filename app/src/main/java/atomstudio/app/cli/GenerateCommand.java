package atomstudio.app.cli;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.ImageGenerator;
import atomstudio.app.pipeline.PromptAdapters;
import atomstudio.app.pipeline.SafetyFilter;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.GenerationBatch;
import atomstudio.diffusion.image.ImageMetadata;
import atomstudio.diffusion.image.PngAttachment;
import atomstudio.diffusion.image.PngWriter;
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
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// `studio generate`: images from a prompt, with or without adapters.
@Command(
        name = "generate",
        description = "Generates images from a prompt.",
        footer = {"", "Examples:", "  studio generate --prompt \"a red apple on a table\" --out apple.png",
                "  studio generate --prompt \"a sks car\" --adapter car.safetensors:0.8 --count 4 --out car.png",
                "  studio generate --model sd15 --prompt \"a lighthouse\" --schedule karras --out lighthouse.png",
                "  studio generate --prompt \"a car in snow\" --image car.png --denoising-strength 0.6 --out snow.png",
                "  studio generate --prompt \"a red apple\" --image table.png --mask area.png --out apple.png",
                "",
                "Prompt syntax (A1111): (word) weights by 1.1, (word:1.3) by 1.3, [word] by 1/1.1; \\( is a literal "
                        + "bracket; BREAK starts a new chunk.",
                "[from:to:0.4] changes the prompt after 0.4 of the steps, [from:to:10] after 10 steps; [cat|dog] "
                        + "alternates.",
                "<lora:NAME:0.8> applies an adapter of the home's folder adapters, or of the run of that name;",
                "<lora:NAME:0.5:1> has separate weights for the text encoder and the UNet.",
                "A prompt has at most 100,000 characters."})
final class GenerateCommand implements Callable<Integer> {
    private static final int MAX_IMAGES = 10_000;

    private final CommandContext context;

    @Option(names = "--prompt", paramLabel = "TEXT", required = true,
            description = "What the image should show; may be empty.")
    private String prompt = "";

    @Mixin
    private BaseModelOptions modelOptions = new BaseModelOptions();

    @Option(names = "--seed", paramLabel = "N", converter = SeedConverter.class,
            description = "Equal seeds give equal images. Default: random, printed.")
    private @Nullable Long seed;

    @Option(names = "--count", paramLabel = "N", defaultValue = "1",
            description = "Number of images; image k has seed + k and is written to FILE-k.png. "
                    + "Default: ${DEFAULT-VALUE}.")
    private int count;

    @Option(names = "--batch-size", paramLabel = "N",
            description = "Images sampled together; equal to one at a time except for rounding. Default: automatic, by "
                    + "memory and device. After out of memory it is halved.")
    private @Nullable Integer batchSize;

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private ImageToImageOptions source = new ImageToImageOptions();

    @Mixin
    private PreviewOption previewOption = new PreviewOption();

    @Mixin
    private AdapterOptions adapters = new AdapterOptions();

    @Option(names = "--safety-checker", paramLabel = "on|off", defaultValue = "on",
            converter = SafetyFilterNames.class,
            description = "Safety checker of models that have one: images that it flags are black. "
                    + "Default: ${DEFAULT-VALUE}.")
    private SafetyFilter safetyFilter = SafetyFilter.ON;

    @Mixin
    private DeviceOption device = new DeviceOption();

    @Option(names = "--engine", paramLabel = "auto|onnx|torch", defaultValue = "auto", converter = EngineNames.class,
            description = "Runs the networks. auto: onnx, or torch for a large model on a CPU with bfloat16 units; "
                    + "images differ by rounding. Default: ${DEFAULT-VALUE}.")
    private EngineName engine = EngineName.AUTO;

    @Option(names = "--out", paramLabel = "FILE.png", required = true, description = "The file to write.")
    private Path out = Path.of("");

    @Option(names = "--overwrite", description = "Replace existing files.")
    private boolean overwrite;

    @Mixin
    private OutputOption output = new OutputOption();

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
        Device chosen = engine == EngineName.TORCH ? device.builtInUnlessNamed(context) : device.device(context);
        try (ImageGenerator generator = ImageGenerator.open(model, chosen, engine, context.terminal()::printNote)) {
            generator.setSafetyFilter(safetyFilter);
            if (batchSize != null) generator.setBatchSize(batchSize);
            generator.computeModelHash(new FileHashes(context.home().baseHashes()));
            previewOption.openDecoder(generator);
            int exitCode = generate(generator, new ImageOrder(generation, loadedAdapters.attachments()), files);
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

    private static final class SafetyFilterNames extends NamedValues<SafetyFilter> {
        SafetyFilterNames() {
            super(SafetyFilter.values(), SafetyFilter::option);
        }
    }

    private static final class EngineNames extends NamedValues<EngineName> {
        EngineNames() {
            super(EngineName.values(), EngineName::option);
        }
    }

    /// The first generation, and the adapters to store in the images.
    private record ImageOrder(Generation generation, List<PngAttachment> attachments) {}

    private int generate(ImageGenerator generator, ImageOrder order, List<Path> files) throws Failure {
        Generation generation = order.generation;
        int steps = generator.stepCount(generation);
        long startNanos = System.nanoTime();
        JsonArray images = new JsonArray();
        try (StopSignal.Registration registration = context.stopSignal().register();
                ProgressBar progress = ProgressBar.of(context.terminal(), "generating", steps * files.size())) {
            int first = 0;
            for (GenerationBatch batch : generator.batches(generation, seeds(generation.seed(), files.size()))) {
                int completedSteps = first * steps;
                List<Path> batchFiles = files.subList(first, first + batch.size());
                boolean finished;
                try (PreviewOption.PreviewFiles previewFiles = previewOption.start(generator, batchFiles)) {
                    finished = generator.generate(batch, step -> {
                        progress.update(completedSteps + batch.size() * Math.min(step.completedSteps(), steps));
                        if (context.stopSignal().requested()) return Next.STOP;
                        previewFiles.update(step.denoised());
                        return Next.CONTINUE;
                    }, (row, image) -> {
                        Generation request = generation.withSeed(batch.seeds().get(row));
                        Path file = batchFiles.get(row);
                        PngWriter.write(file, image,
                                new ImageMetadata(generator.infotext(request, source.imageName()), order.attachments));
                        images.add(imageJson(file, request.seed()));
                        if (output.isJson()) return;
                        progress.close();
                        context.terminal().printResult(file + "  seed " + Seed.format(request.seed()));
                    });
                }
                if (!finished) return reportCancelled(first);
                first += batch.size();
            }
        }
        if (output.isJson())
            context.terminal().printResult(json(generation, images, (System.nanoTime() - startNanos) / 1e9).toString());
        return ExitCode.SUCCESS;
    }

    /// Image k has seed + k.
    private static List<Long> seeds(long first, int count) {
        return LongStream.range(0, count).mapToObj(k -> first + k).toList();
    }

    private int reportCancelled(int done) {
        context.terminal().printNote("Cancelled after " + DisplayFormat.plural(done, "image") + ".");
        return ExitCode.CANCELLED;
    }

    /// The files to write; without `--overwrite` none of them may exist.
    private List<Path> outputFiles() throws Failure {
        UsageError.requireBetween(spec, "--count", count, 1, MAX_IMAGES);
        if (batchSize != null) UsageError.requireBetween(spec, "--batch-size", batchSize, 1, MAX_IMAGES);
        String name = out.getFileName() == null ? "" : out.getFileName().toString();
        if (!name.toLowerCase(Locale.ROOT).endsWith(".png"))
            throw new UsageError(spec, "--out: expected a file name that ends in .png, found " + out);
        String stem = name.substring(0, name.length() - 4);
        List<Path> files = count == 1 ? List.of(out)
                : IntStream.range(0, count)
                        .mapToObj(k -> out.resolveSibling(stem + "-" + k + name.substring(stem.length())))
                        .toList();
        for (Path file : files) {
            if (Files.exists(file) && !overwrite)
                throw new Failure.Conflict(file + ": already exists; choose another --out or add --overwrite");
        }
        return files;
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
}
