package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;

/// Receives a run's events as they happen, on the thread that trains; must return quickly.
@FunctionalInterface
public interface EventSink {
    void emit(TrainingEvent event) throws Failure;

    /// Appends events to the run's log, then passes them on.
    static EventSink of(EventLog log, EventSink listener) {
        return event -> {
            log.append(event);
            listener.emit(event);
        };
    }

    static EventSink none() {
        return event -> {};
    }
}
