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

/// Writes files as PyTorch does, and such as it never would.
public final class TorchArchives {
    private TorchArchives() {}

    /// The instructions of a pickle, one after the other.
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
            return ascii(module + "\n" + name + "\n");
        }

        public Pickle text(String text) {
            raw('X');
            number(text.getBytes(StandardCharsets.UTF_8).length);
            return ascii(text);
        }

        public Pickle whole(long number) {
            raw('J');
            return number((int) number);
        }

        private Pickle number(int number) {
            bytes.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(number).array());
            return this;
        }

        private Pickle ascii(String text) {
            bytes.writeBytes(text.getBytes(StandardCharsets.UTF_8));
            return this;
        }

        /// (storage "key", first, shape, strides) of floats.
        public Pickle tensor(String key, long elements, long first, long[] shape, long[] strides) {
            global("torch._utils", "_rebuild_tensor_v2").raw('(', '(')
                    .text("storage")
                    .global("torch", "FloatStorage")
                    .text(key)
                    .text("cpu")
                    .whole(elements)
                    .raw('t', 'Q')
                    .whole(first);
            tuple(shape);
            tuple(strides);
            return raw(0x89).global("collections", "OrderedDict").raw(')', 'R', 't', 'R');
        }

        private void tuple(long[] numbers) {
            raw('(');
            for (long number : numbers) whole(number);
            raw('t');
        }

        public byte[] bytes() {
            raw('.');
            return bytes.toByteArray();
        }
    }

    /// A state dictionary of float tensors, as `torch.save` writes it.
    public static void save(Path file, Map<String, Tensor> tensors) {
        Pickle pickle = new Pickle().raw('}', '(');
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("archive/data.pkl", new byte[0]);
        int key = 0;
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            Tensor tensor = entry.getValue();
            long[] shape = tensor.shape().sizes();
            long[] strides = new long[shape.length];
            for (int axis = shape.length - 1, step = 1; axis >= 0; axis--) {
                strides[axis] = step;
                step *= (int) shape[axis];
            }
            pickle.text(entry.getKey()).tensor(Integer.toString(key), tensor.data().length, 0, shape, strides);
            ByteBuffer numbers = ByteBuffer.allocate(4 * tensor.data().length).order(ByteOrder.LITTLE_ENDIAN);
            for (float number : tensor.data()) numbers.putFloat(number);
            entries.put("archive/data/" + key++, numbers.array());
        }
        entries.put("archive/data.pkl", pickle.raw('u').bytes());
        archive(file, entries, ZipEntry.STORED);
    }

    /// The same with the first axis of every tensor innermost, as `torch.save` writes a transposed tensor.
    public static void saveOutOfOrder(Path file, Map<String, Tensor> tensors) {
        Pickle pickle = new Pickle().raw('}', '(');
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("archive/data.pkl", new byte[0]);
        int key = 0;
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            Tensor tensor = entry.getValue();
            long[] shape = tensor.shape().sizes();
            int first = shape.length == 0 ? 1 : (int) shape[0];
            int others = tensor.data().length / first;
            long[] strides = new long[shape.length];
            for (int axis = shape.length - 1, step = first; axis > 0; axis--) {
                strides[axis] = step;
                step *= (int) shape[axis];
            }
            if (shape.length > 0) strides[0] = 1;
            pickle.text(entry.getKey()).tensor(Integer.toString(key), tensor.data().length, 0, shape, strides);
            ByteBuffer numbers = ByteBuffer.allocate(4 * tensor.data().length).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < tensor.data().length; i++)
                numbers.putFloat(4 * (i % others * first + i / others), tensor.data()[i]);
            entries.put("archive/data/" + key++, numbers.array());
        }
        entries.put("archive/data.pkl", pickle.raw('u').bytes());
        archive(file, entries, ZipEntry.STORED);
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
