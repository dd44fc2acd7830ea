package atomstudio.diffusion.tensor;

/// Name, type, shape and byte range of one tensor in a file.
/// @param offset in bytes from the start of the file
public record TensorInfo(String name, DType dtype, Shape shape, long offset, long byteLength) {}
