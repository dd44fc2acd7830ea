package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.file.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// A memory-mapped file of named tensors, read-only and not copied: a tensor is a byte range of the file. Owns the
/// map until closed; several threads may read.
public sealed interface TensorFile extends AutoCloseable permits SafetensorsFile, TorchFile {
    /// Opens a safetensors file or a PyTorch pickle (.ckpt, .pt, .pth, .bin). The format is detected by the first
    /// bytes, not by the file name.
    /// @throws Failure.Unreadable when the file is missing, damaged or of another format
    /// @throws Failure.Incompatible when it holds objects other than tensors and plain data
    static TensorFile open(Path file) throws Failure {
        if (!Files.isRegularFile(file)) {
            throw new Failure.Unreadable(
                    file + ": expected a tensor file, found " + (Files.isDirectory(file) ? "a folder" : "nothing"));
        }
        byte[] start = readStart(file);
        String text = new String(start, StandardCharsets.ISO_8859_1);
        if (startsWithHeader(start)) return SafetensorsFile.open(file);
        if (text.startsWith("PK\u0003\u0004") || text.startsWith("\u0080")) return TorchFile.open(file);
        if (text.startsWith("GGUF"))
            throw new Failure.Incompatible(file
                    + ": is a GGUF file of quantized weights, which is not supported; get the model as safetensors");
        if (text.startsWith("version https://git-lfs"))
            throw new Failure.Unreadable(file
                    + ": is a Git LFS pointer, not the file itself; run git lfs pull, or download the file");
        if (text.startsWith("<"))
            throw new Failure.Unreadable(file + ": is a web page, not a tensor file; download the file itself");
        return SafetensorsFile.open(file);
    }

    /// Whether a JSON object follows the 8 bytes of the header length. Leading white space is accepted only after a
    /// plausible length, below 4 GiB.
    private static boolean startsWithHeader(byte[] start) {
        if (start.length < 9) return false;
        boolean isSmallLength = start[4] == 0 && start[5] == 0 && start[6] == 0 && start[7] == 0;
        return start[8] == '{' || isSmallLength && " \n\r\t".indexOf(start[8]) >= 0;
    }

    private static byte[] readStart(Path file) throws Failure {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(32);
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    Path file();

    /// Checks that the file is still the one that was mapped. Call this before using the mapped bytes again: reading
    /// beyond the end of a truncated file crashes the process.
    /// @throws Failure.Unreadable when the file has changed
    void checkUnchanged() throws Failure.Unreadable;

    /// Metadata: the strings of a safetensors header, or the numbers and strings next to a state dict.
    Map<String, String> metadata();

    /// All tensors by name.
    Map<String, TensorInfo> tensors();

    /// The mapped bytes of the whole file; valid until this file is closed.
    MemorySegment bytes();

    /// SHA-256 (hex) of the file without the header of a safetensors file: the hash by which A1111 and Civitai (AutoV3)
    /// identify adapters. Reads every byte.
    default String contentHash() {
        return new Sha256().add(bytes()).hex();
    }

    /// Whether a tensor is contiguous in the file, so that its byte range can be mapped directly.
    default boolean isContiguous(TensorInfo info) {
        return true;
    }

    default boolean has(String name) {
        return tensors().containsKey(name);
    }

    /// @throws IllegalArgumentException when the file has no such tensor
    default TensorInfo info(String name) {
        TensorInfo info = tensors().get(name);
        if (info == null) throw new IllegalArgumentException(file() + ": no tensor named " + name);
        return info;
    }

    /// A tensor's mapped bytes, little endian; valid until this file is closed.
    /// @throws IllegalArgumentException when the file has no such tensor
    default MemorySegment bytes(String name) {
        return bytes(info(name));
    }

    /// The bytes of a tensor, little endian.
    default MemorySegment bytes(TensorInfo info) {
        return bytes().asSlice(info.offset(), info.byteLength());
    }

    /// Reads a tensor as float32; float64 and integers are rounded.
    /// @throws IllegalArgumentException when the file has no such tensor, or it has over 2^31 elements
    default Tensor read(String name) {
        return read(info(name));
    }

    /// Reads a tensor as float32; float64 and integers are rounded.
    /// @throws IllegalArgumentException when it has over 2^31 elements, or its element type is not readable
    default Tensor read(TensorInfo info) {
        if (info.shape().elements() > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    file() + ": " + SafeText.of(info.name()) + " " + info.shape() + " is too large for one array");
        }
        return TensorDecoder.toFloat32(bytes(info), info.dtype(), info.shape());
    }

    @Override
    void close();
}
