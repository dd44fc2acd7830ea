package atomstudio.app.gallery;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Small versions of images, decoded in the background, the latest request first. The most recently used stay in
/// memory. Window's thread.
public final class Thumbnails {
    /// The longer side of the gallery's thumbnails, in pixels.
    public static final int SIDE = 256;
    private static final int MAX_KEPT_PIXELS = 256 * SIDE * SIDE;
    private static final int MAX_RUNNING = 2;

    private final Jobs jobs;
    private final int side;
    private final Map<Object, RgbImage> kept = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Object, RgbImage> eldest) {
            return size() > maxKept();
        }
    };
    private final Deque<Request> waiting = new ArrayDeque<>();
    private int running;

    public Thumbnails(Jobs jobs) {
        this(jobs, SIDE);
    }

    /// @param side the longer side, in pixels
    Thumbnails(Jobs jobs, int side) {
        this.jobs = jobs;
        this.side = side;
    }

    /// 64 MB of pixels at most.
    int maxKept() {
        return MAX_KEPT_PIXELS / (side * side);
    }

    /// An image file.
    public interface Source {
        Path file();

        /// Equal for equal pixels.
        Object key();

        /// Reads the pixels. For job threads.
        RgbImage read() throws Failure;
    }

    /// A thumbnail that may not exist yet.
    public final class Request {
        private final Source image;
        private @Nullable Consumer<RgbImage> listener;

        private Request(Source image, Consumer<RgbImage> listener) {
            this.image = image;
            this.listener = listener;
        }

        /// The listener is not called any more; an image that is not yet being decoded is not decoded.
        public void cancel() {
            listener = null;
            waiting.remove(this);
        }
    }

    /// Calls the listener with the thumbnail, at once if it is in memory. A damaged file has none.
    public Request request(Source image, Consumer<RgbImage> listener) {
        Request request = new Request(image, listener);
        RgbImage known = kept.get(image.key());
        if (known != null) {
            listener.accept(known);
        } else {
            waiting.push(request);
            startNext();
        }
        return request;
    }

    int keptCount() {
        return kept.size();
    }

    private void startNext() {
        while (running < MAX_RUNNING && !waiting.isEmpty()) {
            Request next = waiting.pop();
            running++;
            jobs.start(text("gallery.reading", next.image.file().getFileName()), cancellation -> decode(next.image),
                    outcome -> {
                        running--;
                        if (outcome instanceof JobOutcome.Succeeded<RgbImage>(RgbImage thumbnail))
                            deliver(next, thumbnail);
                        startNext();
                    });
        }
    }

    private void deliver(Request request, RgbImage thumbnail) {
        kept.put(request.image.key(), thumbnail);
        Optional.ofNullable(request.listener).ifPresent(listener -> listener.accept(thumbnail));
    }

    private RgbImage decode(Source image) throws Failure {
        RgbImage full = image.read();
        int longer = Math.max(full.width(), full.height());
        if (longer <= side) return full;
        return full.cropAndResize(Math.max(1, Math.round((float) full.width() * side / longer)),
                Math.max(1, Math.round((float) full.height() * side / longer)));
    }
}
