package atomstudio.tuning.torch;

/// Whether what is computed can be differentiated afterwards. Recording keeps every activation alive until its scope
/// ends.
public enum GradMode { ON, OFF }
