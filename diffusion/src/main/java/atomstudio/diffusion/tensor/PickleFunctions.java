package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Replacements for the Python functions that a pickle may call: those that build tensors are interpreted, harmless
/// others return an opaque value, the rest are rejected.
/// Source: pytorch, torch/_utils.py (`_rebuild_tensor_v2`, `_rebuild_parameter`) and torch/storage.py.
final class PickleFunctions {
    /// PyTorch's limit.
    private static final int MAX_RANK = 64;
    /// Limit on the arguments of all calls together: a small pickle can pass one long list to many calls.
    private static final long MAX_ARGUMENTS = 1 << 22;

    private static final Map<String, DType> STORAGES = Map.ofEntries(
            Map.entry("DoubleStorage", DType.F64), Map.entry("FloatStorage", DType.F32),
            Map.entry("HalfStorage", DType.F16), Map.entry("BFloat16Storage", DType.BF16),
            Map.entry("LongStorage", DType.I64), Map.entry("IntStorage", DType.I32),
            Map.entry("ShortStorage", DType.I16), Map.entry("CharStorage", DType.I8),
            Map.entry("ByteStorage", DType.U8), Map.entry("BoolStorage", DType.BOOL));
    /// Packages of objects that training programs save next to the tensors. They are ignored and never instantiated.
    private static final Set<String> IGNORED_PACKAGES = Set.of("pytorch_lightning", "lightning", "lightning_fabric",
            "lightning_utilities", "omegaconf", "numpy", "typing", "torch", "collections", "transformers", "ldm",
            "argparse");
    private static final Set<String> IGNORED_BUILTINS = Set.of("set", "frozenset", "dict", "list", "tuple", "int",
            "float", "str", "bool", "complex", "bytearray", "slice", "range", "object");
    private static final Set<String> REBUILD_TENSOR = Set.of("torch._utils._rebuild_tensor_v2",
            "torch._utils._rebuild_tensor");
    private static final Set<String> REBUILD_PARAMETER = Set.of("torch._utils._rebuild_parameter",
            "torch._utils._rebuild_parameter_with_state", "torch.nn.parameter.Parameter");
    /// Saved by the original textual inversion code.
    private static final String PARAMETER_DICTIONARY = "torch.nn.modules.container.ParameterDict";
    private static final Set<String> DICTIONARIES = Set.of("collections.OrderedDict", "builtins.dict",
            "__builtin__.dict", "collections.defaultdict");

    private final Path file;
    private long argumentCount;

    PickleFunctions(Path file) {
        this.file = file;
    }

    /// Resolves the global named by an instruction.
    /// @throws Failure.Incompatible when it is not on the allowlist
    PickleValue.Global resolveGlobal(String module, String name) throws Failure {
        PickleValue.Global global = new PickleValue.Global(module, name);
        String rootPackage = module.split("\\.", 2)[0];
        boolean builtIn = (module.equals("builtins") || module.equals("__builtin__"))
                && IGNORED_BUILTINS.contains(name);
        if (IGNORED_PACKAGES.contains(rootPackage) || builtIn || module.equals("_codecs") && name.equals("encode"))
            return global;
        throw new Failure.Incompatible(file + ": its pickle refers to " + SafeText.of(global)
                + ", which could run code; nothing was run. Do not open this file in other programs; "
                + "get the model as safetensors");
    }

    PickleValue call(PickleValue function, PickleValue arguments) throws Failure {
        if (function instanceof PickleValue.Opaque) return function;
        if (!(function instanceof PickleValue.Global global)
                || !(arguments instanceof PickleValue.PyTuple(List<PickleValue> args))) {
            throw new Failure.Incompatible(
                    file + ": its pickle calls a value that is not a function; nothing was run");
        }
        if (REBUILD_TENSOR.contains(global.toString())) return rebuildTensor(args);
        if (REBUILD_PARAMETER.contains(global.toString()) && !args.isEmpty()) return args.getFirst();
        if (DICTIONARIES.contains(global.toString())) return buildDict(args);
        if (global.toString().equals(PARAMETER_DICTIONARY))
            return new PickleValue.PyDict(PickleValue.PyDict.Kind.PARAMETER_DICT);
        return new PickleValue.Opaque(global.toString());
    }

    /// Sets the attributes of an object. Ignored except for ParameterDict, whose tensors are attributes.
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
                    + ": its pickle passes more arguments than any model file needs; nothing was run");
    }

    /// OrderedDict is pickled empty, or by old Python versions with a list of pairs.
    private PickleValue buildDict(List<PickleValue> args) throws Failure {
        PickleValue.PyDict entries = new PickleValue.PyDict();
        if (!args.isEmpty() && args.getFirst() instanceof PickleValue.PyList pairs) {
            countArguments(pairs.items.size());
            for (PickleValue pair : pairs.items) {
                List<PickleValue> items = switch (pair) {
                    case PickleValue.PyTuple(List<PickleValue> values) -> values;
                    case PickleValue.PyList list -> list.items;
                    default -> List.of();
                };
                if (items.size() == 2) entries.put(items.get(0), items.get(1));
            }
        }
        return entries;
    }

    /// Arguments: (storage, storage offset, sizes, strides, …).
    private PickleValue rebuildTensor(List<PickleValue> args) throws Failure {
        if (args.size() < 4 || !(args.get(0) instanceof PickleValue.Storage storage)
                || !(args.get(1) instanceof PickleValue.PyInt(long storageOffset))
                || !(args.get(2) instanceof PickleValue.PyTuple(List<PickleValue> sizes))
                || !(args.get(3) instanceof PickleValue.PyTuple(List<PickleValue> strideValues))
                || sizes.size() != strideValues.size() || sizes.size() > MAX_RANK) {
            throw new Failure.Unreadable(file
                    + ": a tensor of its pickle is damaged: expected storage, offset, sizes and strides; "
                    + "download or copy it again");
        }
        long[] axes = toLongs(sizes);
        long[] strides = toLongs(strideValues);
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
            throw new Failure.Unreadable(file + ": a tensor " + shape + " at element " + storageOffset
                    + " exceeds its storage of " + storage.elements() + " elements; download or copy it again");
        }
        return new PickleValue.TensorRef(storage, storageOffset, shape,
                isContiguous ? List.of() : Arrays.stream(strides).boxed().toList());
    }

    private long[] toLongs(List<PickleValue> values) throws Failure {
        long[] longs = new long[values.size()];
        for (int i = 0; i < longs.length; i++) {
            if (!(values.get(i) instanceof PickleValue.PyInt(long value)) || value < 0)
                throw new Failure.Unreadable(file
                        + ": a tensor of its pickle has an invalid size or stride; download or copy it again");
            longs[i] = value;
        }
        return longs;
    }

    /// Resolves a persistent id: ("storage", type, key, device, elements, …), or in the legacy format ("module",
    /// class, file, source), whose source is ignored.
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
                throw new Failure.Incompatible(file + ": storage type " + SafeText.of(type)
                        + " is not supported; expected float, half, bfloat16, double or integers");
            if (parts.size() > 5 && parts.get(5) instanceof PickleValue.PyTuple)
                throw new Failure.Incompatible(file
                        + ": holds a storage view, as only very old PyTorch versions write; "
                        + "save it again with a newer PyTorch");
            return new PickleValue.Storage(dtype, key, elements);
        }
        throw unknownStorage();
    }

    private Failure unknownStorage() {
        return new Failure.Unreadable(
                file + ": its pickle has an invalid storage id; download or copy it again");
    }
}
