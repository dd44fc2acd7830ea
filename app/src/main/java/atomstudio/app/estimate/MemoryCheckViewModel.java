package atomstudio.app.estimate;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.process.Estimator;
import atomstudio.app.process.RunSpec;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.train.TrainingEstimate;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import org.jspecify.annotations.Nullable;

/// Whether a run will fit, and what would make it fit. Asked for: it takes a few steps of the run, which is seconds
/// or minutes of the machine. An answer holds until something else is asked for.
public final class MemoryCheckViewModel {
    private final Jobs jobs;
    private final Estimator estimator;
    private final ReadOnlyObjectWrapper<@Nullable TrainingEstimate> estimate = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper summary = new ReadOnlyStringWrapper("");
    private final ReadOnlyObjectWrapper<List<MemoryAdvice>> advice = new ReadOnlyObjectWrapper<>(List.of());
    private Jobs.@Nullable JobHandle running;
    private int requestId;

    public MemoryCheckViewModel(Jobs jobs, Estimator estimator) {
        this.jobs = jobs;
        this.estimator = estimator;
    }

    /// Null until it is asked for.
    public ReadOnlyObjectProperty<@Nullable TrainingEstimate> estimate() {
        return estimate.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// `fits · 1.2 GB of 3.1 GB · about 0:50`; empty until it is asked for.
    public ReadOnlyStringProperty summary() {
        return summary.getReadOnlyProperty();
    }

    /// What would make it fit, the mildest first; empty where it fits.
    public ReadOnlyObjectProperty<List<MemoryAdvice>> advice() {
        return advice.getReadOnlyProperty();
    }

    public void check(RunSpec spec) {
        reset();
        int id = requestId;
        busy.set("Trying a few steps…");
        running = jobs.start("The estimate", cancellation -> estimator.estimate(spec, cancellation), outcome -> {
            if (id != requestId) return;
            running = null;
            busy.set("");
            switch (outcome) {
                case JobOutcome.Succeeded<TrainingEstimate>(TrainingEstimate result) -> showResult(result);
                case JobOutcome.Failed<TrainingEstimate>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<TrainingEstimate>() -> {}
            }
        });
        // Jobs that run inline are over by now.
        if (busy.get().isEmpty()) running = null;
    }

    /// Something else is wished for than what was asked about, or nobody wants to know any more.
    public void reset() {
        requestId++;
        if (running != null) running.cancel();
        running = null;
        busy.set("");
        problem.set("");
        summary.set("");
        advice.set(List.of());
        estimate.set(null);
    }

    private void showResult(TrainingEstimate result) {
        summary.set(summary(result));
        estimate.set(result);
        advice.set(result.advice().stream().map(MemoryAdvice::parse).toList());
    }

    private static String summary(TrainingEstimate result) {
        TrainingEstimate.MemoryFit memory = result.memory();
        String of = memory.available() > 0 ? " of " + DisplayFormat.bytes(memory.available()) : "";
        String time = result.time().stepSeconds() > 0
                ? " · about " + DisplayFormat.duration(result.time().totalSeconds())
                : "";
        return (result.fits() ? "fits · " : "does not fit · ") + DisplayFormat.bytes(memory.bytes()) + of + time;
    }

    /// What would make a run fit: `--batch-size 1 --gradient-accumulation 6: one photo at a time, the same steps`, understood as
    /// settings where it is some.
    /// @param text as it was said
    public record MemoryAdvice(String text, Map<MethodSetting, String> methodSettings,
            Map<TrainingSetting, String> trainingSettings) {
        private static final String OPTION = "--";

        public static MemoryAdvice parse(String text) {
            String[] words = text.split(": ", 2)[0].split(" ");
            Map<String, String> options = new HashMap<>();
            for (int i = 0; i < words.length; i++) {
                if (!words[i].startsWith(OPTION)) continue;
                boolean hasValue = i + 1 < words.length && !words[i + 1].startsWith(OPTION);
                options.put(words[i].substring(OPTION.length()), hasValue ? words[i + 1] : TrainingSetting.YES);
            }
            Map<MethodSetting, String> method = new EnumMap<>(MethodSetting.class);
            Map<TrainingSetting, String> training = new EnumMap<>(TrainingSetting.class);
            options.forEach((name, value) -> {
                MethodSetting.ofOption(name).ifPresent(setting -> method.put(setting, value));
                TrainingSetting.ofOption(name).ifPresent(setting -> training.put(setting, value));
            });
            return new MemoryAdvice(text, method, training);
        }

        /// Whether it is a matter of settings, which one click can set.
        public boolean isApplicable() { return !methodSettings.isEmpty() || !trainingSettings.isEmpty(); }

        /// For people: `batch size 1, gradient accumulation 6: one photo at a time, the same steps`.
        public String displayText() {
            return text.replaceFirst("^" + OPTION, "").replace(" " + OPTION, ", ").replace("-", " ");
        }
    }
}
