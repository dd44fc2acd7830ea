package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.ImageStore;
import atomstudio.app.generate.ImageBatch.RowOrder;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.JobQueue;
import atomstudio.app.jobs.Jobs;
import atomstudio.diffusion.image.RgbImage;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Generates the first image again while an adapter's strength is dragged. One image at a time, always of the newest
/// settings: those in between are dropped. The image of the released slider is saved like any other. Does nothing
/// while other images or a run use the machine. Window's thread.
public final class LiveStrength {
    /// An image that takes longer is cancelled for newer settings, and shows its previews.
    private static final Duration PATIENCE = Duration.ofMillis(1500);

    /// Of the slider.
    enum DragState { MOVING, RELEASED }

    private final Jobs jobs;
    private final GenerateViewModel.GenerationServices services;
    private final InstantSource clock;
    private final Supplier<Optional<LiveOrder>> firstOrder;
    private final Supplier<String> subject;
    private DragState state = DragState.RELEASED;
    private @Nullable LiveOrder wanted;
    private @Nullable RunningImage running;
    private @Nullable FinishedImage finished;

    /// @param order of one seed
    record LiveOrder(GalleryRow row, RowOrder order) {}

    private record RunningImage(LiveOrder order, JobQueue.QueuedJob entry, Instant started) {}

    private record FinishedImage(LiveOrder order, RowGenerator.GeneratedImage generated) {}

    /// @param firstOrder the first image made with an adapter, by the settings at the time of the call
    /// @param subject    name of the subject's folder; empty on the Generate page
    LiveStrength(Jobs jobs, GenerateViewModel.GenerationServices services, InstantSource clock,
            Supplier<Optional<LiveOrder>> firstOrder, Supplier<String> subject) {
        this.jobs = jobs;
        this.services = services;
        this.clock = clock;
        this.firstOrder = firstOrder;
        this.subject = subject;
    }

    /// Generates the first image with the settings of now.
    void render(DragState dragState) {
        state = dragState;
        wanted = firstOrder.get().orElse(null);
        LiveOrder order = wanted;
        if (order == null) return;
        if (services.gallery().find(key(order)).isPresent() || isFinished(order)) wanted = null;
        RunningImage now = running;
        if (now != null) {
            boolean isSlow = now.started.plus(PATIENCE).isBefore(clock.instant());
            if (wanted != null && isSlow && !key(now.order).equals(key(order))) now.entry.cancel();
        } else if (wanted != null) {
            start(order);
        }
        if (running == null) settle();
    }

    private boolean isFinished(LiveOrder order) {
        FinishedImage last = finished;
        return last != null && key(last.order).equals(key(order));
    }

    private static String key(LiveOrder live) {
        return live.order.request().order(live.order.seeds().getFirst());
    }

    private void start(LiveOrder live) {
        wanted = null;
        JobQueue queue = services.queue();
        if (!queue.isIdle() || queue.isHeld()) return;
        Consumer<Runnable> uiThread = jobs.deliverEach(Runnable::run);
        Instant started = clock.instant();
        JobQueue.QueuedJob entry = queue.submit(text("generate.live"), (self, cancellation) -> {
            services.generator()
                    .generate(live.order.request(), live.order.seeds(), listener(live, started, uiThread),
                            cancellation);
            return live;
        }, this::onEnded);
        // An inline job has already ended.
        if (queue.entries().contains(entry)) running = new RunningImage(live, entry, started);
    }

    private RowGenerator.RowListener listener(LiveOrder live, Instant started, Consumer<Runnable> uiThread) {
        return new RowGenerator.RowListener() {
            private @Nullable Instant firstStep;
            private int firstDone;

            @Override
            public void step(int done, int total) {
                if (firstStep != null) return;
                firstStep = clock.instant();
                firstDone = done;
            }

            @Override
            public void preview(long seed, RgbImage image) {
                if (started.plus(PATIENCE).isBefore(clock.instant()))
                    uiThread.accept(() -> live.row.showLive(seed, image));
            }

            @Override
            public void image(long seed, RowGenerator.GeneratedImage generated) {
                double seconds = firstStep == null ? 0
                        : Duration.between(firstStep, clock.instant()).toMillis() / 1000.0;
                int steps = live.order.request().settings().sampling().steps();
                uiThread.accept(() -> {
                    if (steps > firstDone)
                        services.rate().add(live.order.request(), seconds * steps / (steps - firstDone));
                    finished = new FinishedImage(live, generated);
                    live.row.showLive(seed, generated.image());
                });
            }

            @Override
            public void warning(String message) {
                uiThread.accept(() -> live.row.addWarning(message));
            }
        };
    }

    private void onEnded(JobOutcome<LiveOrder> outcome) {
        RunningImage ended = running;
        running = null;
        if (outcome instanceof JobOutcome.Failed<LiveOrder>(String message)) {
            services.notices().showError(message);
            wanted = null;
        }
        LiveOrder next = wanted;
        if (next != null) start(next);
        if (running == null) settle();
        else if (ended != null && ended.order.row != running.order.row) ended.order.row.clearLive();
    }

    /// After the slider was released: saves its image and ends the live one.
    private void settle() {
        FinishedImage last = finished;
        if (state != DragState.RELEASED || last == null) return;
        finished = null;
        boolean isWanted = firstOrder.get().filter(order -> key(order).equals(key(last.order))).isPresent();
        if (isWanted && services.gallery().find(key(last.order)).isEmpty()) save(last);
        else last.order.row.clearLive();
    }

    private void save(FinishedImage image) {
        ImageStore store = services.gallery().store();
        long seed = image.order.order.seeds().getFirst();
        jobs.start(text("generate.live.saving"), cancellation -> store.save(image.generated.image(),
                image.generated.metadata(), image.order.order.tags(seed, subject.get())), (GalleryImage saved) -> {
                    services.gallery().add(saved);
                    image.order.row.clearLive();
                }, message -> {
                    services.notices().showError(message);
                    image.order.row.clearLive();
                });
    }
}
