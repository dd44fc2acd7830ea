package atomstudio.app.pipeline;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.LatentPreviewer;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.tensor.Tensor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Previews of one image while it is generated, at a limited rate. Called on the generating thread.
public final class LivePreview {
    /// Previews take at most this share of the time.
    private static final double MAX_TIME_SHARE = 0.1;
    /// At most about seven previews per second.
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

    /// Shows a preview, unless the last one is too recent. A preview that fails, or that the safety checker flags, is
    /// the last one; a flagged one is black. The image itself continues.
    public void show(Tensor denoised) {
        long now = System.nanoTime();
        if (disabled || now < nextNanos) return;
        try {
            LatentPreviewer current = previewer == null ? generator.previewer() : previewer;
            previewer = current;
            long started = System.nanoTime();
            RgbImage preview = current.preview(denoised);
            disabled = generator.safetyGate().isBlocked(preview);
            listener.accept(disabled ? SafetyGate.blank(preview) : preview);
            long ended = System.nanoTime();
            nextNanos = ended
                    + Math.max(MIN_INTERVAL_NANOS, (long) ((ended - started) * (1 - MAX_TIME_SHARE) / MAX_TIME_SHARE));
        } catch (Failure failure) {
            disabled = true;
        }
    }
}
