package atomstudio.app.tune;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.jobs.JobHandle;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.tuning.train.Estimate;
import java.util.List;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import org.jspecify.annotations.Nullable;

/// Whether a run will fit, and what would make it fit. Asked for: it takes a few steps of the run, which is seconds or minutes of the
/// machine. An answer holds until something else is asked for.
public final class FitViewModel {
    private final Jobs jobs;
    private final Estimator estimator;
    private final ReadOnlyObjectWrapper<@Nullable Estimate> estimate = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper line = new ReadOnlyStringWrapper("");
    private final ReadOnlyObjectWrapper<List<Advice>> advice = new ReadOnlyObjectWrapper<>(List.of());
    private @Nullable JobHandle running;
    private int question;

    public FitViewModel(Jobs jobs, Estimator estimator) {
        this.jobs = jobs;
        this.estimator = estimator;
    }

    /// Null until it is asked for.
    public ReadOnlyObjectProperty<@Nullable Estimate> estimate() {
        return estimate.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// `fits · 1.2 GB of 3.1 GB · about 0:50`; empty until it is asked for.
    public ReadOnlyStringProperty line() {
        return line.getReadOnlyProperty();
    }

    /// What would make it fit, the mildest first; empty where it fits.
    public ReadOnlyObjectProperty<List<Advice>> advice() {
        return advice.getReadOnlyProperty();
    }

    public void ask(TuneOrder order) {
        forget();
        int asked = question;
        busy.set("Trying a few steps…");
        running = jobs.start("The estimate", cancellation -> estimator.estimate(order, cancellation), outcome -> {
            if (asked != question) return;
            running = null;
            busy.set("");
            switch (outcome) {
                case JobOutcome.Succeeded<Estimate>(Estimate found) -> show(found);
                case JobOutcome.Failed<Estimate>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<Estimate>() -> {}
            }
        });
        // Jobs that run inline are over by now.
        if (busy.get().isEmpty()) running = null;
    }

    /// Something else is wished for than what was asked about, or nobody wants to know any more.
    public void forget() {
        question++;
        if (running != null) running.cancel();
        running = null;
        busy.set("");
        problem.set("");
        line.set("");
        advice.set(List.of());
        estimate.set(null);
    }

    private void show(Estimate found) {
        line.set(line(found));
        estimate.set(found);
        advice.set(found.advice().stream().map(Advice::parse).toList());
    }

    private static String line(Estimate found) {
        Estimate.Memory memory = found.memory();
        String of = memory.available() > 0 ? " of " + DisplayFormat.bytes(memory.available()) : "";
        String time = found.time().step() > 0 ? " · about " + DisplayFormat.duration(found.time().total()) : "";
        return (found.fits() ? "fits · " : "does not fit · ") + DisplayFormat.bytes(memory.bytes()) + of + time;
    }
}
