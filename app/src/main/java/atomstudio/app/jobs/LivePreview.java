package atomstudio.app.jobs;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Look;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.tensor.Tensor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Looks at one picture while it is made, seldom enough to cost little, as a heeded safety checker allows. On the thread that makes the picture.
public final class LivePreview {
    /// Looking takes at most this share of the time.
    private static final double SHARE = 0.1;
    /// No eye wants more.
    private static final long LEAST_PAUSE = 150_000_000;

    private final PictureMaker maker;
    private final Consumer<Picture> shown;
    private @Nullable Look look;
    private boolean off;
    private long next = System.nanoTime();

    public LivePreview(PictureMaker maker, Consumer<Picture> shown) {
        this.maker = maker;
        this.shown = shown;
    }

    /// Shows latents, unless the last look was just now. A look that fails ends the looking, not the picture; one that would be withheld is
    /// black, as the picture may well be, and the last.
    public void show(Tensor clean) {
        long now = System.nanoTime();
        if (off || now < next) return;
        try {
            Look with = look == null ? maker.look() : look;
            look = with;
            long started = System.nanoTime();
            Picture seen = with.of(clean);
            off = maker.withheld(seen);
            shown.accept(off ? PictureMaker.blackened(seen) : seen);
            long ended = System.nanoTime();
            next = ended + Math.max(LEAST_PAUSE, (long) ((ended - started) * (1 - SHARE) / SHARE));
        } catch (Failure nothingToSee) {
            off = true;
        }
    }
}
