package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;

/// Tells what happens to the run's event log and to whoever listens.
record Journal(EventLog log, TuneListener listener) {
    void note(TuneEvent event) throws Failure {
        log.append(event);
        listener.on(event);
    }
}
