package atomstudio.tuning.train;

/// Whether a run has ended, can go on, or is going on in some process right now.
public enum Status { FINISHED, UNFINISHED, RUNNING }
