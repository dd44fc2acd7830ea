package atomstudio.app.pipeline;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.LatentPreviewer;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Previews of the images of a batch while they are generated, at a limited rate. Called on the generating thread.
public final class LivePreview {
    /// Previews take at most this share of the time.
    private static final double MAX_TIME_SHARE = 0.1;
    /// At most about seven previews per second.
    private static final long MIN_INTERVAL_NANOS = 150_000_000;

    private final ImageGenerator generator;
    private final PreviewListener listener;
    private @Nullable LatentPreviewer previewer;
    private boolean disabled;
    private long nextNanos = System.nanoTime();

    /// Receives previews.
    @FunctionalInterface
    public interface PreviewListener {
        /// @param row of the image in the batch
        void onPreview(int row, RgbImage preview);
    }

    public LivePreview(ImageGenerator generator, PreviewListener listener) {
        this.generator = generator;
        this.listener = listener;
    }

    /// Shows a preview of each image (B, C, h, w), unless the last one is too recent. A preview that fails, or that the
    /// safety checker flags, is the last one; a flagged one is black. The image itself continues.
    public void show(Tensor denoised) {
        long now = System.nanoTime();
        if (disabled || now < nextNanos) return;
        try {
            LatentPreviewer current = previewer == null ? generator.previewer() : previewer;
            previewer = current;
            long started = System.nanoTime();
            for (int row = 0; row < denoised.shape().size(0); row++) {
                RgbImage preview = current.preview(denoised.rows(row, row + 1));
                boolean isBlocked = generator.safetyGate().isBlocked(preview);
                disabled |= isBlocked;
                listener.onPreview(row, isBlocked ? SafetyGate.blank(preview) : preview);
            }
            long ended = System.nanoTime();
            nextNanos = ended
                    + Math.max(MIN_INTERVAL_NANOS, (long) ((ended - started) * (1 - MAX_TIME_SHARE) / MAX_TIME_SHARE));
        } catch (Failure failure) {
            disabled = true;
        }
    }
}
