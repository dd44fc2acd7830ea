package atomstudio.app.estimate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.process.RunSpec;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.setting.Setting;
import atomstudio.tuning.train.TrainingEstimate;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import org.jspecify.annotations.Nullable;

/// Memory check: measures a few training steps to estimate memory and time, and lists settings that need less memory.
/// It runs on request, because it takes seconds to minutes. The result is discarded when a setting changes.
public final class MemoryCheckViewModel {
    /// Estimates memory and time of a run without starting it. For job threads: takes seconds to minutes.
    @FunctionalInterface
    public interface Estimator {
        TrainingEstimate estimate(RunSpec spec, Cancellation cancellation) throws Failure, InterruptedException;
    }

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

    /// Null until measured.
    public ReadOnlyObjectProperty<@Nullable TrainingEstimate> estimate() {
        return estimate.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// `Fits: 1.2 GB of 3.1 GB, about 50 s`; empty until measured.
    public ReadOnlyStringProperty summary() {
        return summary.getReadOnlyProperty();
    }

    /// Settings that need less memory, the one with the least effect on the result first; empty if the run fits.
    public ReadOnlyObjectProperty<List<MemoryAdvice>> advice() {
        return advice.getReadOnlyProperty();
    }

    public void check(RunSpec spec) {
        reset();
        int id = requestId;
        busy.set(text("estimate.measuring"));
        running = jobs.start(text("estimate.memory-check"), cancellation -> estimator.estimate(spec, cancellation),
                outcome -> {
                    if (id != requestId) return;
                    running = null;
                    busy.set("");
                    switch (outcome) {
                        case JobOutcome.Succeeded<TrainingEstimate>(TrainingEstimate result) -> showResult(result);
                        case JobOutcome.Failed<TrainingEstimate>(String message) -> problem.set(message);
                        case JobOutcome.Cancelled<TrainingEstimate>() -> {}
                    }
                });
        // An inline job has ended already.
        if (busy.get().isEmpty()) running = null;
    }

    /// Cancels a running check and discards the result.
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
        String time = result.time().stepSeconds() > 0
                ? text("estimate.about", DisplayFormat.roughDuration(result.time().totalSeconds()))
                : "";
        String available = DisplayFormat.bytes(memory.available());
        if (!result.fits()) return text("estimate.needs-free", DisplayFormat.bytes(memory.bytes()), available, time);
        return text("estimate.fits", DisplayFormat.bytes(memory.bytes()),
                (memory.available() > 0 ? text("estimate.of", available) : ""), time);
    }

    /// Advice for a run that does not fit. Text such as `--batch 1 --accumulate 6: one image at a time` is parsed into
    /// settings; other text has none.
    public record MemoryAdvice(String text, Map<MethodSetting, String> methodSettings,
            Map<TrainingSetting, String> trainingSettings) {
        private static final String OPTION = "--";

        public static MemoryAdvice parse(String text) {
            String[] words = text.split(": ", 2)[0].split(" ");
            Map<String, String> options = new HashMap<>();
            for (int i = 0; i < words.length; i++) {
                if (!words[i].startsWith(OPTION)) continue;
                boolean hasValue = i + 1 < words.length && !words[i + 1].startsWith(OPTION);
                options.put(words[i].substring(OPTION.length()), hasValue ? words[i + 1] : Setting.YES);
            }
            Map<MethodSetting, String> method = new EnumMap<>(MethodSetting.class);
            Map<TrainingSetting, String> training = new EnumMap<>(TrainingSetting.class);
            options.forEach((name, value) -> {
                MethodSetting.ofOption(name).ifPresent(setting -> method.put(setting, value));
                TrainingSetting.ofOption(name).ifPresent(setting -> training.put(setting, value));
            });
            return new MemoryAdvice(text, method, training);
        }

        /// Whether it consists of settings that can be applied.
        public boolean isApplicable() { return !methodSettings.isEmpty() || !trainingSettings.isEmpty(); }

        /// `Batch size 1, Gradient accumulation 6: one image at a time`.
        public String displayText() {
            if (!isApplicable()) return text;
            List<String> settings = new ArrayList<>();
            methodSettings.forEach((setting, value) -> settings.add(setting.describe(value)));
            trainingSettings.forEach((setting, value) -> settings.add(setting.describe(value)));
            int colon = text.indexOf(": ");
            return String.join(", ", settings) + (colon < 0 ? "" : text.substring(colon));
        }
    }
}
