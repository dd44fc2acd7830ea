package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;

/// Who is told what happens in a run.
@FunctionalInterface
public interface EventSink {
    void emit(TrainingEvent event) throws Failure;

    /// The run's event log, and whoever listens.
    static EventSink of(EventLog log, TrainingListener listener) {
        return event -> {
            log.append(event);
            listener.on(event);
        };
    }

    /// Nobody.
    static EventSink none() {
        return event -> {};
    }
}
