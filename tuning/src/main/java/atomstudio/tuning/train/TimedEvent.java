package atomstudio.tuning.train;

/// An event and when it happened, in epoch milliseconds.
public record TimedEvent(long time, TuneEvent event) {}
