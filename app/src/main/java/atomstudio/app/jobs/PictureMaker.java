package atomstudio.app.jobs;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Look;
import atomstudio.diffusion.engine.TextToImage;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.SafetyChecker;
import atomstudio.diffusion.model.TinyAutoencoder;
import atomstudio.diffusion.onnx.OnnxSafety;
import atomstudio.diffusion.onnx.TinyLook;
import atomstudio.diffusion.picture.GenerationText;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.sample.Seed;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.adapter.FileHashes;
import atomstudio.tuning.measure.Ruler;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Makes and saves pictures of one model: what generate, compare and the window have in common. One thread at a time; owns the engine.
public final class PictureMaker implements AutoCloseable {
    private static final int BLACK = 0;
    private static final long HASH_WAIT_SECONDS = 2;

    private final ModelFolder model;
    private final Device device;
    private final Engine engine;
    private final TextToImage pipeline;
    private final Consumer<String> notes;
    private Future<Optional<String>> modelHash = CompletableFuture.completedFuture(Optional.empty());
    private Safety safety = Safety.ON;
    private @Nullable OnnxSafety checker;
    private @Nullable Look look;
    private @Nullable TinyLook tiny;

    private PictureMaker(ModelFolder model, Device device, Engine engine, TextToImage pipeline, Consumer<String> notes) {
        this.notes = notes;
        this.model = model;
        this.device = device;
        this.engine = engine;
        this.pipeline = pipeline;
    }

    /// Opens a model for sampling with all processors.
    public static PictureMaker open(ModelFolder model, Device device) throws Failure {
        return open(model, device, EngineName.AUTO, unheard -> {});
    }

    /// @param notes hears when a picture is made another way than usual, in a sentence
    public static PictureMaker open(ModelFolder model, Device device, EngineName name, Consumer<String> notes) throws Failure {
        Engine engine = name.open(model, device);
        try {
            return new PictureMaker(model, device, engine, TextToImage.of(model, engine, notes), notes);
        } catch (Failure e) {
            engine.close();
            throw e;
        }
    }

    public ModelFolder model() {
        return model;
    }

    /// Looks at pictures through a decoder for previews from now on.
    /// @throws Failure.Incompatible for a file that is none
    public void lookThrough(Path preview, Device device) throws Failure {
        TinyLook through = TinyLook.open(TinyAutoencoder.open(preview, model), device, Runtime.getRuntime().availableProcessors());
        if (tiny != null) tiny.close();
        tiny = through;
        look = through;
    }

    /// Looks at pictures as without a decoder for previews.
    public void lookPlainly() {
        if (tiny != null) tiny.close();
        tiny = null;
        look = null;
    }

    /// Whether the model's safety checker is heeded from now on, where it brings one; it is unless this says otherwise.
    public void heed(Safety wish) {
        safety = wish;
    }

    /// Whether the model's files are as they were when this was opened.
    public boolean current() {
        try {
            engine.check();
            return true;
        } catch (Failure.Unreadable changed) {
            return false;
        }
    }

    /// How many steps a picture takes, all its passes together.
    public int steps(Generation generation) throws Failure {
        return pipeline.steps(generation);
    }

    /// Shows quickly what a picture becomes while it is made.
    Look look() throws Failure {
        Look known = look;
        if (known == null) look = known = Look.cheap(model, engine);
        return known;
    }

    /// Makes one picture; empty when the listener said stop.
    public Optional<Picture> make(Generation generation, StepListener listener) throws Failure {
        heeded();
        Optional<Picture> made = pipeline.picture(generation, listener);
        if (made.isEmpty() || !withheld(made.get())) return made;
        notes.accept("The safety checker of " + model.name() + " takes the picture of seed " + Seed.format(generation.seed()) + " for unsafe, so it is black; --safety off, or Settings in the window, shows such pictures");
        return Optional.of(blackened(made.get()));
    }

    /// Whether the model's safety checker is heeded and takes a picture for unsafe.
    boolean withheld(Picture picture) throws Failure {
        Optional<OnnxSafety> heeded = heeded();
        return heeded.isPresent() && heeded.get().unsafe(picture);
    }

    /// What is shown instead of a picture that is withheld.
    static Picture blackened(Picture picture) {
        return Picture.filled(picture.width(), picture.height(), BLACK);
    }

    /// Opened before the first picture, so that a damaged one is told of before anything is made.
    private Optional<OnnxSafety> heeded() throws Failure {
        if (safety == Safety.OFF) return Optional.empty();
        if (checker != null) return Optional.of(checker);
        Optional<SafetyChecker> brought = model.safetyChecker();
        if (brought.isPresent()) checker = OnnxSafety.open(brought.get(), device, Runtime.getRuntime().availableProcessors());
        return Optional.ofNullable(checker);
    }

    /// What measures pictures by the model's own CLIP; empty where it brings none.
    /// @throws Failure that names the encoder when it is damaged
    public Optional<Ruler> ruler() throws Failure {
        return Ruler.of(model, engine);
    }

    /// From now on pictures say the hash of a model in one file, by which other programs know it. It is computed once a file, beside the first
    /// picture, which takes longer.
    public void name(FileHashes hashes) {
        if (!model.inOneFile()) return;
        CompletableFuture<Optional<String>> computed = new CompletableFuture<>();
        modelHash = computed;
        Thread.ofPlatform().daemon().name("hash of " + model.folder()).start(() -> {
            try {
                computed.complete(Optional.of(hashes.of(model.folder())));
            } catch (Failure unreadable) {
                // The engine reads the same file and says so.
                computed.complete(Optional.empty());
            }
        });
    }

    /// Says how a picture was made.
    /// @param picture the name of what it started from, where it has one
    public GenerationText text(Generation generation, Optional<String> picture) {
        return PictureText.of(generation, new PictureText.Names(model.name(), modelHash(), picture));
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

    @Override public void close() {
        if (tiny != null) tiny.close();
        if (checker != null) checker.close();
        engine.close();
    }
}
