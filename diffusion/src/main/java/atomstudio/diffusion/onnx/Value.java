package atomstudio.diffusion.onnx;

import atomstudio.diffusion.tensor.Shape;

/// A named tensor of a graph being written; its shape is fixed.
record Value(String name, Shape shape) {}
