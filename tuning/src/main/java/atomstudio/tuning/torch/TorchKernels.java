package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Tensor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// The functions of `kernels.py`, called by name. Native arrays of names and numbers live as long as the manager.
final class TorchKernels {
    private final PtNDManager manager;
    private final Function<Tensor, NDArray> arrayFactory;
    private final Function<int[][], NDArray> idFactory;
    private final PtSymbolBlock module;
    private final Map<String, NDArray> methods = new HashMap<>();
    private final Map<Number, NDArray> numbers = new HashMap<>();

    /// @param arrayFactory creates an array in the current scope
    /// @param idFactory    creates an integer array in the current scope
    TorchKernels(PtNDManager manager, Function<Tensor, NDArray> arrayFactory, Function<int[][], NDArray> idFactory) {
        this.manager = manager;
        this.arrayFactory = arrayFactory;
        this.idFactory = idFactory;
        try {
            this.module = JniUtils.loadModule(manager, new ByteArrayInputStream(TorchScript.archive()), true, false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A function that returns one tensor; recorded if its scope records.
    /// @param arguments native arrays, or numbers for arguments without axes
    NDArray call(String name, Object... arguments) {
        return callForTensors(name, arguments).getFirst();
    }

    /// A function that returns a tuple of tensors.
    List<NDArray> callForTensors(String name, Object... arguments) {
        NDList inputs = new NDList(arguments.length + 1);
        for (Object argument : arguments)
            inputs.add(argument instanceof Number number ? number(number) : (NDArray) argument);
        inputs.add(methods.computeIfAbsent(name, this::method));
        // Without `true` it would run in PyTorch's inference mode, whose tensors autograd rejects. So would runMethod.
        return IValueUtils.forward(module, inputs, true);
    }

    /// DJL takes the method's name from an additional array.
    private NDArray method(String name) {
        NDArray tag = persistent(DataType.INT64, 0L);
        tag.setName("module_method:" + name);
        return tag;
    }

    private NDArray number(Number value) {
        return numbers.computeIfAbsent(value, key -> persistent(
                key instanceof Double ? DataType.FLOAT64 : DataType.INT64,
                key instanceof Double ? Double.doubleToRawLongBits(key.doubleValue()) : key.longValue()));
    }

    /// On the CPU, since TorchScript reads its value.
    private NDArray persistent(DataType type, long bits) {
        PtNDArray array = JniUtils.createEmptyNdArray(manager, new ai.djl.ndarray.types.Shape(), type,
                ai.djl.Device.cpu(), SparseFormat.DENSE);
        JniUtils.getByteBuffer(array, true).putLong(bits);
        NDScope.unregister(array);
        return array;
    }

    NDArray constant(Tensor tensor) {
        return arrayFactory.apply(tensor);
    }

    NDArray ids(int[][] ids) {
        return idFactory.apply(ids);
    }

    /// y (B, C, H, W) plus the layer's bias, if any.
    static NDArray addBias(NDArray y, LayerWeights<NDArray> layer) {
        NDArray bias = layer.bias();
        return bias == null ? y
                : JniUtils.add((PtNDArray) y, JniUtils.reshape((PtNDArray) bias, new long[] {1, bias.size(), 1, 1}));
    }

    /// Whether autograd records this array.
    boolean requiresGrad(NDArray x) {
        try (IValue argument = IValue.from((PtNDArray) x);
                IValue result = IValueUtils.runMethod(module, "requires_grad", argument)) {
            return result.toBoolean();
        }
    }

    /// A TorchScript archive of `kernels.py`: a zip of a format version, two pickles (no constants; a module with the
    /// attribute `training`) and the source.
    static final class TorchScript {
        private static final byte[] CONSTANTS = {(byte) 0x80, 2, ')', '.'};

        private TorchScript() {}

        static byte[] archive() throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (ZipOutputStream zip = new ZipOutputStream(bytes);
                    InputStream source = TorchKernels.class.getResourceAsStream("kernels.py")) {
                entry(zip, "version", "3\n".getBytes(StandardCharsets.US_ASCII));
                entry(zip, "constants.pkl", CONSTANTS);
                entry(zip, "data.pkl", module());
                entry(zip, "code/__torch__.py", Objects.requireNonNull(source, "kernels.py").readAllBytes());
            }
            return bytes.toByteArray();
        }

        /// Pickle protocol 2: an instance of `__torch__.Kernels` whose state is {"training": True}.
        private static byte[] module() {
            byte[] name = "training".getBytes(StandardCharsets.US_ASCII);
            ByteBuffer pickle = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
            pickle.put(new byte[] {(byte) 0x80, 2})
                    .put("c__torch__\nKernels\n)".getBytes(StandardCharsets.US_ASCII))
                    .put((byte) 0x81);
            pickle.put("}(X".getBytes(StandardCharsets.US_ASCII)).putInt(name.length).put(name);
            pickle.put(new byte[] {(byte) 0x88, 'u', 'b', '.'});
            return Arrays.copyOf(pickle.array(), pickle.position());
        }

        private static void entry(ZipOutputStream zip, String name, byte[] content) throws IOException {
            zip.putNextEntry(new ZipEntry("kernels/" + name));
            zip.write(content);
            zip.closeEntry();
        }
    }
}
