package atomstudio.tuning.torch;

/// Whether autograd records operations. Recording keeps activations alive until the end of the scope.
public enum GradMode { ON, OFF }
