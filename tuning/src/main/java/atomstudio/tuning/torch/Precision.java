package atomstudio.tuning.torch;

/// Of frozen weights and activations; what is trained, its moments, and the loss are always in float32.
public enum Precision { FP32, BF16 }
