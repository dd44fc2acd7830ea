package atomstudio.app.generate;

import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.ImageStore;
import atomstudio.app.gallery.ImageTags;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.JobQueue;
import atomstudio.app.jobs.StepRate;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.Seed;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Images that were submitted together, as one entry of the queue. Every finished image is saved at once.
public final class ImageBatch {
    private static final int MAX_TITLE_LENGTH = 40;

    /// Shows the progress of a row. Window's thread.
    public interface BatchRow {
        String title();

        /// Name of the run's folder; empty without a run.
        String runName();

        void showStep(int done, int total);

        /// The predicted image of an order.
        void showPreview(String order, RgbImage image);

        /// Ends the progress of one image.
        void clearPreview(String order);

        void addWarning(String message);

        void stop();
    }

    /// @param baseRequest the request of the base model's row at the time
    /// @param seeds of the images to generate
    public record RowOrder(BatchRow row, RowGenerator.RowRequest request, RowGenerator.RowRequest baseRequest,
            List<Long> seeds) {
        ImageTags tags(long seed, String subject) {
            return new ImageTags(request.order(seed), baseRequest.order(seed), subject, row.runName());
        }
    }

    private final List<RowOrder> orders;
    private final String subject;
    private final GenerateViewModel.GenerationServices services;
    private final InstantSource clock;
    private final StepRate stepRate;
    private final Set<String> remaining = new HashSet<>();
    private Instant started;
    private int completedCount;
    /// The first step of the current row.
    private @Nullable RowStart rowStart;

    private record RowStart(Instant time, int done, int total) {}
    private JobQueue.@Nullable QueuedJob entry;

    /// @param subject name of the subject's folder; empty on the Generate page
    public ImageBatch(List<RowOrder> orders, String subject, GenerateViewModel.GenerationServices services,
            InstantSource clock) {
        this.orders = List.copyOf(orders);
        this.subject = subject;
        this.services = services;
        this.clock = clock;
        stepRate = new StepRate(clock);
        started = clock.instant();
        for (RowOrder order : orders) order.seeds.forEach(seed -> remaining.add(order.request.order(seed)));
    }

    /// Orders whose images do not exist yet.
    public Set<String> remainingOrders() {
        return remaining;
    }

    public int imageCount() {
        return orders.stream().mapToInt(order -> order.seeds.size()).sum();
    }

    public int completedCount() {
        return completedCount;
    }

    /// Since the batch was started.
    public double seconds() {
        return Duration.between(started, clock.instant()).toMillis() / 1000.0;
    }

    public String status() {
        return entry == null ? text("generate.waiting") : entry.status().get();
    }

    public double fraction() {
        return entry == null ? 0 : entry.fraction().get();
    }

    public void cancel() {
        if (entry != null) entry.cancel();
    }

    /// `4 images “a sks car in the snow”`.
    private String title() {
        String prompt = orders.getLast().request.prompt();
        return count("generate.images", imageCount()) + " “"
                + (prompt.length() <= MAX_TITLE_LENGTH ? prompt : prompt.substring(0, MAX_TITLE_LENGTH) + "…") + "”";
    }

    /// @param uiThread runs its argument on the window's thread
    /// @param onProgress called on the window's thread
    public void submit(Consumer<Runnable> uiThread, Runnable onProgress, Consumer<JobOutcome<Integer>> onEnded) {
        JobQueue.QueuedJob submitted = services.queue().submit(title(), (self, cancellation) -> {
            uiThread.accept(() -> {
                entry = self;
                started = clock.instant();
                stepRate.update(0);
                self.update(text("generate.loading-the-model"), 0);
                onProgress.run();
            });
            for (int i = 0; i < orders.size(); i++) generate(i, uiThread, onProgress, cancellation);
            return imageCount();
        }, onEnded);
        entry = submitted;
        submitted.status().subscribe(now -> onProgress.run());
    }

    /// Generates the images of a row. For the job's thread.
    private void generate(int index, Consumer<Runnable> uiThread, Runnable onProgress, Cancellation cancellation)
            throws Failure {
        cancellation.throwIfRequested();
        RowOrder order = orders.get(index);
        BatchRow row = order.row;
        services.generator().generate(order.request, order.seeds, new RowGenerator.RowListener() {
            @Override
            public void step(int done, int total) {
                uiThread.accept(() -> {
                    showStep(index, done, total);
                    onProgress.run();
                });
            }

            @Override
            public void preview(long seed, RgbImage image) {
                uiThread.accept(() -> row.showPreview(order.request.order(seed), image));
            }

            @Override
            public void image(long seed, RowGenerator.GeneratedImage generated) {
                GalleryImage image = save(generated, order.tags(seed, subject),
                        message -> uiThread.accept(() -> row.addWarning(message)));
                uiThread.accept(() -> {
                    row.clearPreview(image.tags().order());
                    completedCount++;
                    remaining.remove(image.tags().order());
                    services.gallery().add(image);
                });
            }

            @Override
            public void warning(String message) {
                uiThread.accept(() -> row.addWarning(message));
            }
        }, cancellation);
        uiThread.accept(() -> {
            measure(order);
            row.stop();
        });
    }

    /// Loading the model and building graphs end with the first step.
    private void measure(RowOrder order) {
        RowStart first = rowStart;
        rowStart = null;
        if (first == null || first.total <= first.done) return;
        double seconds = Duration.between(first.time, clock.instant()).toMillis() / 1000.0;
        services.rate().add(order.request, seconds * first.total / (first.total - first.done) / order.seeds.size());
    }

    /// An image that cannot be written stays in memory, with a warning.
    private GalleryImage save(RowGenerator.GeneratedImage generated, ImageTags tags, Consumer<String> warnings) {
        ImageStore store = services.gallery().store();
        try {
            return store.save(generated.image(), generated.metadata(), tags);
        } catch (Failure e) {
            GalleryImage unsaved = store.unsaved(generated.image(), generated.metadata(), tags);
            warnings.accept(text("generate.not-saved-open-it-and-save",
                    unsaved.seed().stream().mapToObj(Seed::format).findFirst().orElse(text("generate.unknown-seed")),
                    e.getMessage()));
            return unsaved;
        }
    }

    private void showStep(int index, int done, int total) {
        if (rowStart == null) rowStart = new RowStart(clock.instant(), done, total);
        double share = (index + (double) done / total) / orders.size();
        stepRate.update(share);
        RowOrder order = orders.get(index);
        order.row.showStep(done, total);
        double secondsLeft = stepRate.secondsPerStep() * (1 - share);
        if (entry != null)
            entry.update(text("generate.step-of", order.row.title(), done, total,
                    (secondsLeft > 0 ? text("generate.left", DisplayFormat.clock(secondsLeft)) : "")), share);
    }
}
