package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The few calls of a pickle that build tensors, and what stands for the others that are known to be harmless beside
/// them.
/// Source: pytorch, torch/_utils.py (`_rebuild_tensor_v2`, `_rebuild_parameter`) and torch/storage.py.
final class PickleFunctions {
    /// Axes of a tensor in PyTorch.
    private static final int MAX_RANK = 64;
    /// The longest list of all calls together: what one instruction names again and again must not be read again and
    /// again.
    private static final long MAX_ARGUMENTS = 1 << 22;

    private static final Map<String, DType> STORAGES = Map.ofEntries(
            Map.entry("DoubleStorage", DType.F64), Map.entry("FloatStorage", DType.F32),
            Map.entry("HalfStorage", DType.F16), Map.entry("BFloat16Storage", DType.BF16),
            Map.entry("LongStorage", DType.I64), Map.entry("IntStorage", DType.I32),
            Map.entry("ShortStorage", DType.I16), Map.entry("CharStorage", DType.I8),
            Map.entry("ByteStorage", DType.U8), Map.entry("BoolStorage", DType.BOOL));
    /// Makers of objects that training programs leave beside the tensors. They are read over; no such object is made.
    private static final Set<String> IGNORED_PACKAGES = Set.of("pytorch_lightning", "lightning", "lightning_fabric",
            "lightning_utilities", "omegaconf", "numpy", "typing", "torch", "collections", "transformers", "ldm",
            "argparse");
    private static final Set<String> IGNORED_BUILTINS = Set.of("set", "frozenset", "dict", "list", "tuple", "int",
            "float", "str", "bool", "complex", "bytearray", "slice", "range", "object");
    private static final Set<String> REBUILD_TENSOR = Set.of("torch._utils._rebuild_tensor_v2",
            "torch._utils._rebuild_tensor");
    private static final Set<String> REBUILD_PARAMETER = Set.of("torch._utils._rebuild_parameter",
            "torch._utils._rebuild_parameter_with_state", "torch.nn.parameter.Parameter");
    /// What the first program for textual inversion saved.
    private static final String PARAMETER_DICTIONARY = "torch.nn.modules.container.ParameterDict";
    private static final Set<String> DICTIONARIES = Set.of("collections.OrderedDict", "builtins.dict",
            "__builtin__.dict", "collections.defaultdict");

    private final Path file;
    private long argumentCount;

    PickleFunctions(Path file) {
        this.file = file;
    }

    /// A name that an instruction may mention.
    /// @throws Failure.Incompatible for every name that has no business in a file of tensors
    PickleValue.Global resolveGlobal(String module, String name) throws Failure {
        PickleValue.Global global = new PickleValue.Global(module, name);
        String rootPackage = module.split("\\.", 2)[0];
        boolean builtIn = (module.equals("builtins") || module.equals("__builtin__"))
                && IGNORED_BUILTINS.contains(name);
        if (IGNORED_PACKAGES.contains(rootPackage) || builtIn || module.equals("_codecs") && name.equals("encode"))
            return global;
        throw new Failure.Incompatible(file + ": asks Python for " + SafeText.of(global)
                + ", which builds no tensor and could run code; nothing of it was run. Do not open such a file elsewhere; get the model as safetensors");
    }

    PickleValue call(PickleValue function, PickleValue arguments) throws Failure {
        if (function instanceof PickleValue.Opaque) return function;
        if (!(function instanceof PickleValue.Global global)
                || !(arguments instanceof PickleValue.PyTuple(List<PickleValue> args))) {
            throw new Failure.Incompatible(
                    file + ": its pickle calls something that is no function; nothing of it was run");
        }
        if (REBUILD_TENSOR.contains(global.toString())) return rebuildTensor(args);
        if (REBUILD_PARAMETER.contains(global.toString()) && !args.isEmpty()) return args.getFirst();
        if (DICTIONARIES.contains(global.toString())) return buildDict(args);
        if (global.toString().equals(PARAMETER_DICTIONARY))
            return new PickleValue.PyDict(PickleValue.PyDict.Kind.PARAMETER_DICT);
        return new PickleValue.Opaque(global.toString());
    }

    /// Attributes of an object hold no tensors, but for the one kind of dictionary that is a module.
    void setState(PickleValue state, PickleValue object) throws Failure {
        if (object instanceof PickleValue.PyDict dictionary && dictionary.kind == PickleValue.PyDict.Kind.PARAMETER_DICT
                && state instanceof PickleValue.PyDict stateDict
                && stateDict.entries.get("_parameters") instanceof PickleValue.PyDict parameters) {
            countArguments(parameters.entries.size());
            dictionary.entries.putAll(parameters.entries);
        }
    }

    private void countArguments(int more) throws Failure {
        argumentCount += more;
        if (argumentCount > MAX_ARGUMENTS)
            throw new Failure.Incompatible(file
                    + ": its pickle calls with more arguments than any file of tensors needs; nothing of it was run");
    }

    /// An ordered dictionary is pickled empty, or (by old versions) with a list of its pairs.
    private PickleValue buildDict(List<PickleValue> args) throws Failure {
        PickleValue.PyDict entries = new PickleValue.PyDict();
        if (!args.isEmpty() && args.getFirst() instanceof PickleValue.PyList pairs) {
            countArguments(pairs.items.size());
            for (PickleValue pair : pairs.items) {
                if (pair instanceof PickleValue.PyTuple(List<PickleValue> two) && two.size() == 2)
                    entries.put(two.get(0), two.get(1));
                else
                    if (pair instanceof PickleValue.PyList two && two.items.size() == 2)
                        entries.put(two.items.get(0), two.items.get(1));
            }
        }
        return entries;
    }

    /// (storage, first element, sizes, strides, …).
    private PickleValue rebuildTensor(List<PickleValue> args) throws Failure {
        if (args.size() < 4 || !(args.get(0) instanceof PickleValue.Storage storage)
                || !(args.get(1) instanceof PickleValue.PyInt(long storageOffset))
                || !(args.get(2) instanceof PickleValue.PyTuple(List<PickleValue> sizes))
                || !(args.get(3) instanceof PickleValue.PyTuple(List<PickleValue> strideValues))
                || sizes.size() != strideValues.size() || sizes.size() > MAX_RANK) {
            throw new Failure.Unreadable(file
                    + ": a tensor of its pickle is damaged: expected storage, offset, sizes and strides; download or copy it again");
        }
        long[] axes = toCounts(sizes);
        long[] strides = toCounts(strideValues);
        Shape shape = new Shape(axes);
        boolean isContiguous = true;
        long step = 1;
        long last = 0;
        for (int axis = axes.length - 1; axis >= 0 && shape.elements() > 0; axis--) {
            isContiguous &= axes[axis] == 1 || strides[axis] == step;
            step = Math.multiplyExact(step, axes[axis]);
            last = Math.addExact(last, Math.multiplyExact(axes[axis] - 1, strides[axis]));
        }
        boolean isInside = shape.elements() == 0 ? storageOffset >= 0 && storageOffset <= storage.elements()
                : storageOffset >= 0 && storageOffset < storage.elements() && last < storage.elements() - storageOffset;
        if (!isInside) {
            throw new Failure.Unreadable(file + ": a tensor " + shape + " from element " + storageOffset
                    + " lies outside its storage of " + storage.elements() + "; download or copy it again");
        }
        return new PickleValue.TensorRef(storage, storageOffset, shape,
                isContiguous ? List.of() : Arrays.stream(strides).boxed().toList());
    }

    private long[] toCounts(List<PickleValue> numbers) throws Failure {
        long[] counts = new long[numbers.size()];
        for (int i = 0; i < counts.length; i++) {
            if (!(numbers.get(i) instanceof PickleValue.PyInt(long number)) || number < 0)
                throw new Failure.Unreadable(file
                        + ": a tensor of its pickle has a size or stride that is no count; download or copy it again");
            counts[i] = number;
        }
        return counts;
    }

    /// What a persistent id means: ("storage", type, key, device, elements, …), or ("module", class, file, source)
    /// for a class that PyTorch's older format keeps the source of, which is never looked at.
    PickleValue loadPersistent(PickleValue id) throws Failure {
        if (!(id instanceof PickleValue.PyTuple(List<PickleValue> parts)) || parts.isEmpty()
                || !(parts.getFirst() instanceof PickleValue.PyString(String kind)))
            throw unknownStorage();
        if (kind.equals("module") && parts.size() == 4 && parts.get(1) instanceof PickleValue.Global type) return type;
        if (kind.equals("storage") && parts.size() >= 5 && parts.get(1) instanceof PickleValue.Global type
                && parts.get(2) instanceof PickleValue.PyString(String key)
                && parts.get(4) instanceof PickleValue.PyInt(long elements) && elements >= 0) {
            DType dtype = STORAGES.get(type.name());
            if (dtype == null)
                throw new Failure.Incompatible(file + ": " + SafeText.of(type)
                        + " is a type of numbers that is not supported; expected float, half, bfloat16, double or integers");
            if (parts.size() > 5 && parts.get(5) instanceof PickleValue.PyTuple)
                throw new Failure.Incompatible(file
                        + ": holds a view of a storage, which PyTorch has not written for years; save it again with a newer PyTorch");
            return new PickleValue.Storage(dtype, key, elements);
        }
        throw unknownStorage();
    }

    private Failure unknownStorage() {
        return new Failure.Unreadable(
                file + ": its pickle names a storage in a way that PyTorch does not; download or copy it again");
    }
}
