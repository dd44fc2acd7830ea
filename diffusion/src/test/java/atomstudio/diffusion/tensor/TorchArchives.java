package atomstudio.diffusion.tensor;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Writes PyTorch files, valid and invalid ones.
public final class TorchArchives {
    private TorchArchives() {}

    /// A builder of pickles, opcode by opcode.
    public static final class Pickle {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        public Pickle() {
            raw(0x80, 2);
        }

        public Pickle raw(int... codes) {
            for (int code : codes) bytes.write(code);
            return this;
        }

        public Pickle global(String module, String name) {
            raw('c');
            return utf8(module + "\n" + name + "\n");
        }

        public Pickle text(String text) {
            raw('X');
            int32(text.getBytes(StandardCharsets.UTF_8).length);
            return utf8(text);
        }

        public Pickle integer(long value) {
            raw('J');
            return int32((int) value);
        }

        private Pickle int32(int value) {
            bytes.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
            return this;
        }

        private Pickle utf8(String text) {
            bytes.writeBytes(text.getBytes(StandardCharsets.UTF_8));
            return this;
        }

        /// A call of `_rebuild_tensor_v2` for a float storage.
        public Pickle tensor(String key, long elements, long storageOffset, long[] shape, long[] strides) {
            global("torch._utils", "_rebuild_tensor_v2").raw('(', '(')
                    .text("storage")
                    .global("torch", "FloatStorage")
                    .text(key)
                    .text("cpu")
                    .integer(elements)
                    .raw('t', 'Q')
                    .integer(storageOffset);
            tuple(shape);
            tuple(strides);
            return raw(0x89).global("collections", "OrderedDict").raw(')', 'R', 't', 'R');
        }

        private void tuple(long[] values) {
            raw('(');
            for (long value : values) integer(value);
            raw('t');
        }

        public byte[] bytes() {
            raw('.');
            return bytes.toByteArray();
        }
    }

    /// A state dict of float tensors, as `torch.save` writes it.
    public static void save(Path file, Map<String, Tensor> tensors) {
        save(file, tensors, false);
    }

    /// As `save`, with the first axis of every tensor innermost, as `torch.save` writes a transposed tensor.
    public static void saveTransposed(Path file, Map<String, Tensor> tensors) {
        save(file, tensors, true);
    }

    private static void save(Path file, Map<String, Tensor> tensors, boolean isTransposed) {
        Pickle pickle = new Pickle().raw('}', '(');
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("archive/data.pkl", new byte[0]);
        int key = 0;
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            Tensor tensor = entry.getValue();
            long[] shape = tensor.shape().sizes();
            int rows = isTransposed && shape.length > 0 ? (int) shape[0] : 1;
            int columns = tensor.data().length / rows;
            long[] strides = strides(shape, isTransposed);
            pickle.text(entry.getKey()).tensor(Integer.toString(key), tensor.data().length, 0, shape, strides);
            ByteBuffer data = ByteBuffer.allocate(4 * tensor.data().length).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < tensor.data().length; i++)
                data.putFloat(4 * (i % columns * rows + i / columns), tensor.data()[i]);
            entries.put("archive/data/" + key++, data.array());
        }
        entries.put("archive/data.pkl", pickle.raw('u').bytes());
        archive(file, entries, ZipEntry.STORED);
    }

    private static long[] strides(long[] shape, boolean isTransposed) {
        long[] strides = new long[shape.length];
        long step = 1;
        if (isTransposed && shape.length > 0) {
            strides[0] = 1;
            step = shape[0];
        }
        for (int axis = shape.length - 1; axis >= (isTransposed ? 1 : 0); axis--) {
            strides[axis] = step;
            step *= shape[axis];
        }
        return strides;
    }

    public static void archive(Path file, Map<String, byte[]> entries, int method) {
        try (OutputStream out = Files.newOutputStream(file); ZipOutputStream zip = new ZipOutputStream(out)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                ZipEntry header = new ZipEntry(entry.getKey());
                header.setMethod(method);
                header.setSize(entry.getValue().length);
                if (method == ZipEntry.STORED) header.setCompressedSize(entry.getValue().length);
                CRC32 sum = new CRC32();
                sum.update(entry.getValue());
                header.setCrc(sum.getValue());
                zip.putNextEntry(header);
                zip.write(entry.getValue());
                zip.closeEntry();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
