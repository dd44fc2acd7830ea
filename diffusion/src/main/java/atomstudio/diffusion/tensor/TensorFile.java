package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// A file of named tensors behind one read-only memory map: nothing is copied, and every tensor is a stretch of the
/// file's own bytes. Owns the map until closed; reading from several threads is fine.
public sealed interface TensorFile extends AutoCloseable permits SafetensorsFile, TorchFile {
    /// Opens a file by what its first bytes say it is, whatever its name: safetensors, or what PyTorch pickles
    /// (.ckpt, .pt, .pth, .bin).
    /// @throws Failure.Unreadable when the file is missing, damaged or of another kind
    /// @throws Failure.Incompatible when it holds more than tensors
    static TensorFile open(Path file) throws Failure {
        if (!Files.isRegularFile(file)) {
            throw new Failure.Unreadable(
                    file + ": expected a file of tensors, found " + (Files.isDirectory(file) ? "a folder" : "nothing"));
        }
        byte[] start = readStart(file);
        String text = new String(start, StandardCharsets.ISO_8859_1);
        if (startsWithHeader(start)) return SafetensorsFile.open(file);
        if (text.startsWith("PK\u0003\u0004") || text.startsWith("\u0080")) return TorchFile.open(file);
        if (text.startsWith("GGUF"))
            throw new Failure.Incompatible(file
                    + ": is a GGUF file of quantised weights, which cannot be run here; get the model as safetensors");
        if (text.startsWith("version https://git-lfs"))
            throw new Failure.Unreadable(file
                    + ": is only a pointer of Git LFS, not the file itself; run git lfs pull, or download the file");
        if (text.startsWith("<"))
            throw new Failure.Unreadable(file + ": is a web page, not a file of tensors; download the file itself");
        return SafetensorsFile.open(file);
    }

    /// Whether JSON begins behind a length whose bytes may be anything; white space may stand before it where the
    /// length can be one.
    private static boolean startsWithHeader(byte[] first) {
        if (first.length < 9) return false;
        boolean isSmallLength = first[4] == 0 && first[5] == 0 && first[6] == 0 && first[7] == 0;
        return first[8] == '{'
                || isSmallLength && (first[8] == ' ' || first[8] == '\n' || first[8] == '\r' || first[8] == '\t');
    }

    private static byte[] readStart(Path file) throws Failure {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(32);
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    Path file();

    /// To be called before the mapped bytes are used after a while.
    /// @throws Failure.Unreadable when the file changed since it was mapped
    void checkUnchanged() throws Failure.Unreadable;

    /// What the file says beside its tensors: strings of a header, numbers and texts beside a state dictionary.
    Map<String, String> metadata();

    /// All tensors by name.
    Map<String, TensorInfo> tensors();

    /// The whole file's mapped bytes; valid until this file is closed.
    MemorySegment bytes();

    /// Whether a tensor's bytes lie in the file in the tensor's own order, so that others can map them there.
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

    /// The mapped bytes of a stretch of this file.
    default MemorySegment bytes(TensorInfo info) {
        return bytes().asSlice(info.offset(), info.byteLength());
    }

    /// A tensor widened (or, from float64 and integers, rounded) to float32.
    /// @throws IllegalArgumentException when the file has no such tensor, or it has over 2^31 elements
    default Tensor read(String name) {
        return read(info(name));
    }

    /// A stretch of this file as a tensor in float32.
    /// @throws IllegalArgumentException when it has over 2^31 elements, or elements that are no numbers
    default Tensor read(TensorInfo info) {
        if (info.shape().elements() > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    file() + ": " + SafeText.of(info.name()) + " " + info.shape() + " is too large to be read at once");
        }
        return TensorDecoder.toFloat32(bytes(info), info.dtype(), info.shape());
    }

    @Override
    void close();
}
