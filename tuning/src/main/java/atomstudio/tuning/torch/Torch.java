package atomstudio.tuning.torch;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.util.cuda.CudaUtils;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorInfo;
import atomstudio.tuning.optimize.Muon;
import atomstudio.tuning.torch.Tape.Variable;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/// PyTorch on one device: creates and reads native arrays. Owns all arrays that outlive their scope; closing frees
/// them. One thread at a time; computations only inside a `scope`.
public final class Torch implements AutoCloseable {
    private final Device device;
    private final PtNDManager manager;
    private final TorchKernels kernels;
    private final Bf16Weights bf16Weights;
    private final NativeHeap heap = new NativeHeap();

    private Torch(Device device, PtNDManager manager) {
        this.device = device;
        this.manager = manager;
        this.kernels = new TorchKernels(manager, this::array, this::array);
        this.bf16Weights = new Bf16Weights(kernels);
        heap.raiseThresholds();
    }

    /// Loads PyTorch (once per process; the first time unpacks its libraries) and opens a device. Nothing is
    /// downloaded or uploaded.
    /// @throws Failure.DeviceUnavailable when the device is missing or PyTorch cannot be loaded
    public static Torch open(Device requested, TorchSettings settings) throws Failure.DeviceUnavailable {
        Device device = requested.torchDevice();
        setDjlProperties(settings.natives());
        try {
            Engine engine = TorchLibraries.load(settings.natives());
            if (device.equals(Device.CUDA) && (engine.getGpuCount() == 0 || !CudaUtils.hasCuda())) {
                throw new Failure.DeviceUnavailable("device cuda: no NVIDIA GPU that PyTorch " + engine.getVersion()
                        + " can use was found; build with `mvn -Pcuda package`", Failure.Remedy.USE_CPU);
            }
            JniUtils.setNumThreads(settings.threads());
            ai.djl.Device djlDevice = device.equals(Device.CUDA) ? ai.djl.Device.gpu() : ai.djl.Device.cpu();
            return new Torch(device, (PtNDManager) engine.newBaseManager(djlDevice));
        } catch (EngineException | UnsatisfiedLinkError e) {
            throw new Failure.DeviceUnavailable(
                    "PyTorch could not be loaded from " + settings.natives() + ": " + e.getMessage()
                            + "; about 500 MB must be free there, or set ATOMSTUDIO_HOME to another folder");
        }
    }

    /// DJL reads these once, when its engine is loaded.
    private static void setDjlProperties(Path natives) {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("ai.djl.pytorch.graph_optimizer", "false");
        if (System.getProperty("DJL_CACHE_DIR") == null && System.getenv("DJL_CACHE_DIR") == null) {
            System.setProperty("DJL_CACHE_DIR", natives.toAbsolutePath().toString());
        }
    }

    public Device device() {
        return device;
    }

    /// Threads that one operation may use.
    public int threads() {
        return JniUtils.getNumThreads();
    }

    public EagerOps ops() {
        return ops(ComputeDtype.FP32);
    }

    EagerOps ops(ComputeDtype computeDtype) {
        return gradientOps(computeDtype);
    }

    EagerGradientOps gradientOps(ComputeDtype computeDtype) {
        return new EagerGradientOps(kernels, switch (computeDtype) {
            case FP32 -> null;
            case BF16 -> bf16Weights;
        }, heap);
    }

    Bf16Weights bf16Weights() {
        return bf16Weights;
    }

    TorchKernels kernels() {
        return kernels;
    }

    /// Starts a scope on this thread: arrays created until it is closed are freed then, except those it keeps.
    public TorchScope scope(GradMode gradMode) {
        return new TorchScope(gradMode);
    }

    /// A native copy in PyTorch's own memory: aligned the same way in every process, so that equal runs give equal
    /// bits, and alive as long as the recorded graph needs it. Neither holds for an array over a Java buffer.
    public NDArray array(Tensor tensor) {
        return toDevice(create(tensor.shape(), DataType.FLOAT32, bytes -> bytes.asFloatBuffer().put(tensor.data())));
    }

    /// A float32 array of mapped float32 or float16 bytes. float32 on the CPU is not copied, and valid as long as the
    /// mapping. Mappings start at a page, so they are aligned the same way in every process.
    public NDArray mapped(MemorySegment bytes, TensorInfo info) {
        boolean isFloat32 = info.dtype() == DType.F32;
        PtNDArray view = JniUtils.createNdFromByteBuffer(manager, bytes.asByteBuffer(), DjlShapes.shape(info.shape()),
                isFloat32 ? DataType.FLOAT32 : DataType.FLOAT16, SparseFormat.DENSE, ai.djl.Device.cpu());
        if (isFloat32) return toDevice(view);
        PtNDArray converted = JniUtils.to(view, DataType.FLOAT32, ai.djl.Device.cpu());
        view.close();
        return toDevice(converted);
    }

    /// Token ids (B, S) as int64.
    public NDArray array(int[][] ids) {
        Shape shape = Shape.of(ids.length, ids.length == 0 ? 0 : ids[0].length);
        return toDevice(create(shape, DataType.INT64, bytes -> {
            LongBuffer buffer = bytes.asLongBuffer();
            for (int[] row : ids) for (int id : row) buffer.put(id);
        }));
    }

    /// A leaf that requires a gradient.
    public NDArray leaf(Tensor tensor) {
        NDArray leaf = array(tensor);
        leaf.setRequiresGradient(true);
        return leaf;
    }

    public Tensor tensor(NDArray array) {
        float[] values = new float[Math.toIntExact(array.size())];
        floatBuffer(array).get(values);
        return new Tensor(DjlShapes.shape(array), values);
    }

    /// Differentiates a scalar by PyTorch's autograd and reads the leaf's gradient; zeros if the scalar does not depend
    /// on it.
    public Tensor gradient(NDArray scalar, NDArray leaf) {
        JniUtils.backward((PtNDArray) scalar, onesLike(scalar), false, false);
        return gradient(leaf);
    }

    /// The gradients of the variables as one vector, in their order; zeros where a value did not depend on one.
    float[] gradients(List<Variable<NDArray>> variables) {
        float[] vector = new float[Math
                .toIntExact(variables.stream().mapToLong(variable -> variable.array().size()).sum())];
        FloatBuffer buffer = FloatBuffer.wrap(vector);
        for (Variable<NDArray> variable : variables) {
            NDArray gradient = variable.gradient();
            int size = Math.toIntExact(variable.array().size());
            if (gradient == null) buffer.position(buffer.position() + size);
            else buffer.put(floatBuffer(gradient));
        }
        return vector;
    }

    private PtNDArray onesLike(NDArray scalar) {
        return (PtNDArray) toDevice(
                create(DjlShapes.shape(scalar), DataType.FLOAT32, bytes -> bytes.asFloatBuffer().put(1)));
    }

    private Tensor gradient(NDArray leaf) {
        PtNDArray gradient = JniUtils.getGradient((PtNDArray) leaf);
        return gradient == null ? Tensor.zeros(DjlShapes.shape(leaf)) : tensor(gradient);
    }

    private PtNDArray create(Shape shape, DataType type, Consumer<ByteBuffer> fill) {
        PtNDArray array = JniUtils.createEmptyNdArray(manager, DjlShapes.shape(shape), type, ai.djl.Device.cpu(),
                SparseFormat.DENSE);
        if (shape.elements() > 0) fill.accept(JniUtils.getByteBuffer(array, true));
        return array;
    }

    private NDArray toDevice(PtNDArray array) {
        if (array.getDevice().equals(manager.getDevice())) return array;
        NDArray copied = array.toDevice(manager.getDevice(), true);
        array.close();
        return copied;
    }

    private static FloatBuffer floatBuffer(NDArray array) {
        return JniUtils.getByteBuffer((PtNDArray) array, true).asFloatBuffer();
    }

    @Override
    public void close() {
        bf16Weights.close();
        manager.close();
        heap.close();
    }

    /// Muon's orthogonalization on PyTorch's device.
    public record NewtonSchulz(Torch torch, ComputeDtype computeDtype) implements Muon.Orthogonalization {
        @Override
        public float[] orthogonalize(float[] matrices, int count, int rows, int columns) throws Failure {
            return TorchFailures.translate("optimizer", () -> {
                try (TorchScope scope = torch.scope(GradMode.OFF)) {
                    EagerOps ops = torch.ops(computeDtype);
                    NDArray x = torch.array(new Tensor(Shape.of(count, rows, columns), matrices));
                    NDArray unit = torch.kernels().call("divide_by_norms", x, EPSILON);
                    return torch.tensor(ops.toFloat32(torch.kernels()
                            .call("orthogonalize", ops.toActivationDtype(unit), ITERATIONS, A, B, C))).data();
                }
            });
        }
    }
}
