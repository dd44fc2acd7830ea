package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;

/// Who is told what happens in a run.
@FunctionalInterface
interface Journal {
    void note(TuneEvent event) throws Failure;

    /// The run's event log, and whoever listens.
    static Journal of(EventLog log, TuneListener listener) {
        return event -> {
            log.append(event);
            listener.on(event);
        };
    }

    /// Nobody.
    static Journal none() {
        return event -> {};
    }
}
