package atomstudio.app.pipeline;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.LatentPreviewer;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.SafetyChecker;
import atomstudio.diffusion.model.TinyAutoencoder;
import atomstudio.diffusion.onnx.OnnxSafetyChecker;
import atomstudio.diffusion.onnx.TaesdPreviewer;
import atomstudio.diffusion.sample.Seed;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.adapter.FileHashes;
import atomstudio.tuning.measure.ClipMetrics;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Makes and saves pictures of one model: what generate, compare and the window have in common. One thread at a time;
/// owns the engine.
public final class ImageGenerator implements AutoCloseable {
    private static final int BLACK = 0;
    private static final long HASH_WAIT_SECONDS = 2;

    private final DiffusionModel model;
    private final Device device;
    private final Engine engine;
    private final DiffusionPipeline pipeline;
    private final Consumer<String> warnings;
    private Future<Optional<String>> modelHash = CompletableFuture.completedFuture(Optional.empty());
    private SafetyFilter safetyFilter = SafetyFilter.ON;
    private @Nullable OnnxSafetyChecker safetyChecker;
    private @Nullable LatentPreviewer previewer;
    private @Nullable TaesdPreviewer taesd;

    private ImageGenerator(DiffusionModel model, Device device, Engine engine, DiffusionPipeline pipeline,
            Consumer<String> warnings) {
        this.warnings = warnings;
        this.model = model;
        this.device = device;
        this.engine = engine;
        this.pipeline = pipeline;
    }

    /// Opens a model for sampling with all processors.
    public static ImageGenerator open(DiffusionModel model, Device device) throws Failure {
        return open(model, device, EngineName.AUTO, ignored -> {});
    }

    /// @param warnings hears when a picture is made another way than usual, in a sentence
    public static ImageGenerator open(DiffusionModel model, Device device, EngineName engineName,
            Consumer<String> warnings) throws Failure {
        Engine engine = engineName.open(model, device);
        try {
            return new ImageGenerator(model, device, engine, DiffusionPipeline.of(model, engine, warnings), warnings);
        } catch (Failure e) {
            engine.close();
            throw e;
        }
    }

    public DiffusionModel model() {
        return model;
    }

    /// Looks at pictures through a decoder for previews from now on.
    /// @throws Failure.Incompatible for a file that is none
    public void usePreviewDecoder(Path decoderFile, Device device) throws Failure {
        TaesdPreviewer decoder = TaesdPreviewer.open(TinyAutoencoder.open(decoderFile, model), device,
                Runtime.getRuntime().availableProcessors());
        if (taesd != null) taesd.close();
        taesd = decoder;
        previewer = decoder;
    }

    /// Looks at pictures as without a decoder for previews.
    public void useDefaultPreview() {
        if (taesd != null) taesd.close();
        taesd = null;
        previewer = null;
    }

    /// Whether the model's safety checker is heeded from now on, where it brings one; it is unless this says otherwise.
    public void setSafetyFilter(SafetyFilter filter) { safetyFilter = filter; }

    /// Whether the model's files are as they were when this was opened.
    public boolean isCurrent() {
        try {
            engine.checkFiles();
            return true;
        } catch (Failure.Unreadable changed) {
            return false;
        }
    }

    /// How many steps a picture takes, all its passes together.
    public int stepCount(Generation generation) throws Failure {
        return pipeline.stepCount(generation);
    }

    /// Shows quickly what a picture becomes while it is made.
    LatentPreviewer previewer() throws Failure {
        LatentPreviewer cached = previewer;
        if (cached == null) previewer = cached = LatentPreviewer.fastest(model, engine);
        return cached;
    }

    /// Makes one picture; empty when the listener said stop.
    public Optional<RgbImage> generate(Generation generation, StepListener listener) throws Failure {
        activeSafetyChecker();
        Optional<RgbImage> image = pipeline.generate(generation, listener);
        if (image.isEmpty() || !isBlocked(image.get())) return image;
        warnings.accept(
                "The safety checker of " + model.name() + " takes the picture of seed " + Seed.format(generation.seed())
                        + " for unsafe, so it is black; --safety off, or Settings in the window, shows such pictures");
        return Optional.of(blank(image.get()));
    }

    /// Whether the model's safety checker is heeded and takes a picture for unsafe.
    boolean isBlocked(RgbImage image) throws Failure {
        Optional<OnnxSafetyChecker> active = activeSafetyChecker();
        return active.isPresent() && active.get().isUnsafe(image);
    }

    /// What is shown instead of a picture that is withheld.
    static RgbImage blank(RgbImage image) {
        return RgbImage.filled(image.width(), image.height(), BLACK);
    }

    /// Opened before the first picture, so that a damaged one is told of before anything is made.
    private Optional<OnnxSafetyChecker> activeSafetyChecker() throws Failure {
        if (safetyFilter == SafetyFilter.OFF) return Optional.empty();
        if (safetyChecker != null) return Optional.of(safetyChecker);
        Optional<SafetyChecker> found = model.safetyChecker();
        if (found.isPresent())
            safetyChecker = OnnxSafetyChecker.open(found.get(), device, Runtime.getRuntime().availableProcessors());
        return Optional.ofNullable(safetyChecker);
    }

    /// What measures pictures by the model's own CLIP; empty where it brings none.
    /// @throws Failure that names the encoder when it is damaged
    public Optional<ClipMetrics> clipMetrics() throws Failure {
        return ClipMetrics.of(model, engine);
    }

    /// From now on pictures say the hash of a model in one file, by which other programs know it. It is computed once
    /// a file, beside the first picture, which takes longer.
    public void computeModelHash(FileHashes hashes) {
        if (!model.isSingleFile()) return;
        CompletableFuture<Optional<String>> computed = new CompletableFuture<>();
        modelHash = computed;
        Thread.ofPlatform().daemon().name("hash of " + model.path()).start(() -> {
            try {
                computed.complete(Optional.of(hashes.hash(model.path())));
            } catch (Failure unreadable) {
                // The engine reads the same file and says so.
                computed.complete(Optional.empty());
            }
        });
    }

    /// Says how a picture was made.
    /// @param sourceImage the name of what it started from, where it has one
    public Infotext infotext(Generation generation, Optional<String> sourceImage) {
        return GenerationInfotext.of(generation,
                new GenerationInfotext.Provenance(model.name(), modelHash(), sourceImage));
    }

    /// Empty where a picture was faster than its model's file could be read.
    private Optional<String> modelHash() {
        try {
            return modelHash.get(HASH_WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException | ExecutionException unknown) {
            return Optional.empty();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        if (taesd != null) taesd.close();
        if (safetyChecker != null) safetyChecker.close();
        engine.close();
    }
}
