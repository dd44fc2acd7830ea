package atomstudio.app.pipeline;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.SafetyChecker;
import atomstudio.diffusion.onnx.OnnxSafetyChecker;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The safety checker of a model, if it has one and the filter is on. Owns the checker.
final class SafetyGate implements AutoCloseable {
    private static final int BLACK = 0;

    private final DiffusionModel model;
    private final Device device;
    private SafetyFilter filter = SafetyFilter.ON;
    private @Nullable OnnxSafetyChecker checker;

    SafetyGate(DiffusionModel model, Device device) {
        this.model = model;
        this.device = device;
    }

    void setFilter(SafetyFilter filter) { this.filter = filter; }

    /// Opens the checker before the first image, so that a damaged one is reported early.
    void open() throws Failure {
        if (filter == SafetyFilter.OFF || checker != null) return;
        Optional<SafetyChecker> found = model.safetyChecker();
        if (found.isPresent())
            checker = OnnxSafetyChecker.open(found.get(), device, Runtime.getRuntime().availableProcessors());
    }

    /// Whether the filter is on and the checker flags an image.
    boolean isBlocked(RgbImage image) throws Failure {
        open();
        return filter == SafetyFilter.ON && checker != null && checker.isUnsafe(image);
    }

    /// Shown instead of a flagged image.
    static RgbImage blank(RgbImage image) {
        return RgbImage.filled(image.width(), image.height(), BLACK);
    }

    @Override
    public void close() {
        if (checker != null) checker.close();
    }
}
