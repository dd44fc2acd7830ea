package atomstudio.app.train;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.estimate.MemoryCheckViewModel;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.process.RunSpec;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.train.TrainingEstimate;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import javafx.beans.property.ReadOnlyIntegerProperty;
import javafx.beans.property.ReadOnlyIntegerWrapper;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Time and memory of runs on this machine, measured by a few training steps in the background, one after another.
/// They are kept in a file, for all subjects.
public final class MethodEstimates {
    /// What the time and memory of a run depend on.
    public record EstimateKey(Path model, RunSpec.TrainingChoices choices) {
        static EstimateKey of(RunSpec spec) {
            return new EstimateKey(spec.model(), spec.choices());
        }

        /// In the file. Another number of processors takes another time.
        private String text() {
            return String.join(" ", model.toString(), choices.method().name(),
                    new TreeMap<>(choices.method().entries()).toString(),
                    new TreeMap<>(choices.training().chosen()).toString(), choices.start().toString(),
                    String.valueOf(Runtime.getRuntime().availableProcessors()));
        }
    }

    /// @param seconds 0: not measured, because the memory does not suffice
    public record MethodEstimate(double seconds, long memory) {
        /// `about 3 min · 615 MB`.
        public String summary() {
            String bytes = DisplayFormat.bytes(memory);
            return seconds == 0 ? text("train.estimate.memory", bytes)
                    : text("train.estimate", DisplayFormat.roughDuration(seconds), bytes);
        }
    }

    private static final Logger log = LoggerFactory.getLogger(MethodEstimates.class);
    private static final int MAX_KNOWN = 200;

    private final Jobs jobs;
    private final MemoryCheckViewModel.Estimator estimator;
    private final BooleanSupplier machineBusy;
    private final Path file;
    private final AtomicReference<Map<String, MethodEstimate>> written = new AtomicReference<>(Map.of());
    /// By [EstimateKey#text].
    private final Map<String, MethodEstimate> known = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, MethodEstimate> eldest) {
            return size() > MAX_KNOWN;
        }
    };
    /// Counts up.
    private final ReadOnlyIntegerWrapper changes = new ReadOnlyIntegerWrapper();
    /// Not measured again, until the window is opened again.
    private final Set<EstimateKey> failed = new HashSet<>();
    private final Deque<RunSpec> waiting = new ArrayDeque<>();
    private Jobs.@Nullable JobHandle running;
    private @Nullable EstimateKey measuring;

    /// @param machineBusy nothing is measured while it is true: neither would the time be right
    /// @param file        keeps the estimates over restarts
    public MethodEstimates(Jobs jobs, MemoryCheckViewModel.Estimator estimator, BooleanSupplier machineBusy,
            Path file) {
        this.jobs = jobs;
        this.estimator = estimator;
        this.machineBusy = machineBusy;
        this.file = file;
        jobs.start(text("train.reading", file), cancellation -> read(file), found -> {
            found.forEach(known::putIfAbsent);
            announce();
        }, message -> log.warn("estimates were not read: {}", message));
    }

    /// A damaged file is as none. For job threads.
    private static Map<String, MethodEstimate> read(Path file) {
        if (!Files.isRegularFile(file)) return Map.of();
        Map<String, MethodEstimate> found = new LinkedHashMap<>();
        try {
            for (Map.Entry<String, JsonElement> entry : Json.read(file).object("estimates").object().entrySet()) {
                Json values = new Json(file.toString(), entry.getValue().getAsJsonObject());
                found.put(entry.getKey(), new MethodEstimate(values.number("seconds"), values.integer("memory")));
            }
        } catch (Failure | RuntimeException damaged) {
            log.warn("ignored estimates in {}", file, damaged);
        }
        return found;
    }

    /// Writes may run out of order: each one writes the newest state.
    private void save() {
        written.set(Map.copyOf(known));
        jobs.start(text("train.saving", file), cancellation -> {
            synchronized (written) {
                JsonObject estimates = new JsonObject();
                written.get().forEach((key, estimate) -> {
                    JsonObject values = new JsonObject();
                    values.addProperty("seconds", estimate.seconds);
                    values.addProperty("memory", estimate.memory);
                    estimates.add(key, values);
                });
                JsonObject json = new JsonObject();
                json.addProperty("format", 1);
                json.add("estimates", estimates);
                AtomicFile.write(file, out -> out.write((json + "\n").getBytes(StandardCharsets.UTF_8)));
            }
            return file;
        }, saved -> {}, message -> log.warn("estimates were not saved: {}", message));
    }

    /// Changes when an estimate does, or what is being measured.
    public ReadOnlyIntegerProperty changes() {
        return changes.getReadOnlyProperty();
    }

    public Optional<MethodEstimate> of(EstimateKey key) {
        return Optional.ofNullable(known.get(key.text()));
    }

    /// Whether the estimate is being measured, or is next.
    public boolean isPending(EstimateKey key) {
        return key.equals(measuring) || !machineBusy.getAsBoolean()
                && waiting.stream().anyMatch(spec -> EstimateKey.of(spec).equals(key));
    }

    /// Measures runs in the background, in place of those requested before.
    public void request(Collection<RunSpec> specs) {
        waiting.clear();
        for (RunSpec spec : specs) {
            EstimateKey key = EstimateKey.of(spec);
            if (!known.containsKey(key.text()) && !failed.contains(key) && !key.equals(measuring)) waiting.add(spec);
        }
        next();
        announce();
    }

    /// Ends what is being measured.
    public void stop() {
        waiting.clear();
        if (running != null) running.cancel();
        announce();
    }

    private void announce() {
        changes.set(changes.get() + 1);
    }

    void put(RunSpec spec, TrainingEstimate estimate) {
        known.put(EstimateKey.of(spec).text(),
                new MethodEstimate(estimate.time().totalSeconds(), estimate.memory().bytes()));
        save();
        announce();
    }

    private void next() {
        if (measuring != null || waiting.isEmpty() || machineBusy.getAsBoolean()) return;
        RunSpec spec = waiting.remove();
        EstimateKey key = EstimateKey.of(spec);
        measuring = key;
        Jobs.JobHandle started = jobs.start(text("train.estimating", spec.title()),
                cancellation -> estimator.estimate(spec, cancellation), outcome -> {
                    measuring = null;
                    running = null;
                    switch (outcome) {
                        case JobOutcome.Succeeded<TrainingEstimate>(TrainingEstimate estimate) -> put(spec, estimate);
                        case JobOutcome.Failed<TrainingEstimate> _ -> failed.add(key);
                        case JobOutcome.Cancelled<TrainingEstimate>() -> {}
                    }
                    next();
                    announce();
                });
        if (measuring != null) running = started;
    }
}
