package atomstudio.app.pipeline;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.LatentPreviewer;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.tensor.Tensor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Looks at one picture while it is made, seldom enough to cost little, as a heeded safety checker allows. On the
/// thread that makes the picture.
public final class LivePreview {
    /// Looking takes at most this share of the time.
    private static final double MAX_TIME_SHARE = 0.1;
    /// No eye wants more.
    private static final long MIN_INTERVAL_NANOS = 150_000_000;

    private final ImageGenerator generator;
    private final Consumer<RgbImage> listener;
    private @Nullable LatentPreviewer previewer;
    private boolean disabled;
    private long nextNanos = System.nanoTime();

    public LivePreview(ImageGenerator generator, Consumer<RgbImage> listener) {
        this.generator = generator;
        this.listener = listener;
    }

    /// Shows latents, unless the last look was just now. A look that fails ends the looking, not the picture; one
    /// that would be withheld is black, as the picture may well be, and the last.
    public void show(Tensor denoised) {
        long now = System.nanoTime();
        if (disabled || now < nextNanos) return;
        try {
            LatentPreviewer current = previewer == null ? generator.previewer() : previewer;
            previewer = current;
            long started = System.nanoTime();
            RgbImage preview = current.preview(denoised);
            disabled = generator.isBlocked(preview);
            listener.accept(disabled ? ImageGenerator.blank(preview) : preview);
            long ended = System.nanoTime();
            nextNanos = ended
                    + Math.max(MIN_INTERVAL_NANOS, (long) ((ended - started) * (1 - MAX_TIME_SHARE) / MAX_TIME_SHARE));
        } catch (Failure failure) {
            disabled = true;
        }
    }
}
