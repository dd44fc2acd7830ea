package atomstudio.diffusion.tensor;

/// Where one tensor lies in a safetensors file: `offset` and `bytes` count from the start of the file.
public record TensorInfo(String name, DType dtype, Shape shape, long offset, long byteLength) {}
