package atomstudio.app.train;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.estimate.MemoryCheckViewModel;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.process.RunSpec;
import atomstudio.tuning.train.TrainingEstimate;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import javafx.beans.property.ReadOnlyIntegerProperty;
import javafx.beans.property.ReadOnlyIntegerWrapper;
import org.jspecify.annotations.Nullable;

/// Time and memory of runs on this machine, measured by a few training steps in the background, one after another.
/// They are kept while the window is open, for all subjects.
public final class MethodEstimates {
    /// What the time and memory of a run depend on.
    public record EstimateKey(Path model, RunSpec.TrainingChoices choices) {
        static EstimateKey of(RunSpec spec) {
            return new EstimateKey(spec.model(), spec.choices());
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

    private final Jobs jobs;
    private final MemoryCheckViewModel.Estimator estimator;
    private final BooleanSupplier machineBusy;
    private final Map<EstimateKey, MethodEstimate> known = new HashMap<>();
    /// Counts up.
    private final ReadOnlyIntegerWrapper changes = new ReadOnlyIntegerWrapper();
    /// Not measured again, until the window is opened again.
    private final Set<EstimateKey> failed = new HashSet<>();
    private final Deque<RunSpec> waiting = new ArrayDeque<>();
    private Jobs.@Nullable JobHandle running;
    private @Nullable EstimateKey measuring;

    /// @param machineBusy nothing is measured while it is true: neither would the time be right
    public MethodEstimates(Jobs jobs, MemoryCheckViewModel.Estimator estimator, BooleanSupplier machineBusy) {
        this.jobs = jobs;
        this.estimator = estimator;
        this.machineBusy = machineBusy;
    }

    /// Changes when an estimate does, or what is being measured.
    public ReadOnlyIntegerProperty changes() {
        return changes.getReadOnlyProperty();
    }

    public Optional<MethodEstimate> of(EstimateKey key) {
        return Optional.ofNullable(known.get(key));
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
            if (!known.containsKey(key) && !failed.contains(key) && !key.equals(measuring)) waiting.add(spec);
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
        known.put(EstimateKey.of(spec),
                new MethodEstimate(estimate.time().totalSeconds(), estimate.memory().bytes()));
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
