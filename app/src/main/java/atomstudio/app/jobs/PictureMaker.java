package atomstudio.app.jobs;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Look;
import atomstudio.diffusion.engine.TextToImage;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.TinyAutoencoder;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.onnx.TinyLook;
import atomstudio.diffusion.picture.GenerationText;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.measure.Ruler;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Makes and saves pictures of one model: what generate, compare and the window have in common. One thread at a time; owns the engine.
public final class PictureMaker implements AutoCloseable {
    private final ModelFolder model;
    private final Engine engine;
    private final TextToImage pipeline;
    private @Nullable Look look;
    private @Nullable TinyLook tiny;

    private PictureMaker(ModelFolder model, Engine engine, TextToImage pipeline) {
        this.model = model;
        this.engine = engine;
        this.pipeline = pipeline;
    }

    /// Opens a model for sampling on ONNX Runtime with all processors.
    public static PictureMaker open(ModelFolder model, Device device) throws Failure {
        return open(model, device, unheard -> {});
    }

    /// @param notes hears when a picture is made another way than usual, in a sentence
    public static PictureMaker open(ModelFolder model, Device device, Consumer<String> notes) throws Failure {
        OnnxEngine engine = OnnxEngine.open(model, device, Runtime.getRuntime().availableProcessors());
        try {
            return new PictureMaker(model, engine, TextToImage.of(model, engine, notes));
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
        return pipeline.picture(generation, listener);
    }

    /// What measures pictures by the model's own CLIP; empty where it brings none.
    /// @throws Failure that names the encoder when it is damaged
    public Optional<Ruler> ruler() throws Failure {
        return Ruler.of(model, engine);
    }

    /// Says how a picture was made.
    public GenerationText text(Generation generation) {
        return PictureText.of(generation, model.name());
    }

    @Override public void close() {
        if (tiny != null) tiny.close();
        engine.close();
    }
}
