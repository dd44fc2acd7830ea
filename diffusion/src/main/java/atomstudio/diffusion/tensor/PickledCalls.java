package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The few calls of a pickle that build tensors, and what stands for the others that are known to be harmless beside them.
/// Source: pytorch, torch/_utils.py (`_rebuild_tensor_v2`, `_rebuild_parameter`) and torch/storage.py.
final class PickledCalls {
    /// Axes of a tensor in PyTorch.
    private static final int MOST_AXES = 64;
    /// The longest list of all calls together: what one instruction names again and again must not be read again and again.
    private static final long MOST_ARGUMENTS = 1 << 22;

    private static final Map<String, DType> STORAGES = Map.ofEntries(
            Map.entry("DoubleStorage", DType.F64), Map.entry("FloatStorage", DType.F32), Map.entry("HalfStorage", DType.F16), Map.entry("BFloat16Storage", DType.BF16),
            Map.entry("LongStorage", DType.I64), Map.entry("IntStorage", DType.I32), Map.entry("ShortStorage", DType.I16), Map.entry("CharStorage", DType.I8),
            Map.entry("ByteStorage", DType.U8), Map.entry("BoolStorage", DType.BOOL));
    /// Makers of objects that training programs leave beside the tensors. They are read over; no such object is made.
    private static final Set<String> BESIDE = Set.of("pytorch_lightning", "lightning", "lightning_fabric", "lightning_utilities", "omegaconf", "numpy", "typing", "torch", "collections", "transformers", "ldm", "argparse");
    private static final Set<String> BUILT_IN = Set.of("set", "frozenset", "dict", "list", "tuple", "int", "float", "str", "bool", "complex", "bytearray", "slice", "range", "object");
    private static final Set<String> TENSORS = Set.of("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor");
    private static final Set<String> PARAMETERS = Set.of("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state", "torch.nn.parameter.Parameter");
    /// What the first program for textual inversion saved.
    private static final String PARAMETER_DICTIONARY = "torch.nn.modules.container.ParameterDict";
    private static final Set<String> DICTIONARIES = Set.of("collections.OrderedDict", "builtins.dict", "__builtin__.dict", "collections.defaultdict");

    private final Path file;
    private long arguments;

    PickledCalls(Path file) {
        this.file = file;
    }

    /// A name that an instruction may mention.
    /// @throws Failure.Incompatible for every name that has no business in a file of tensors
    Pickled.Global global(String module, String name) throws Failure {
        Pickled.Global global = new Pickled.Global(module, name);
        String family = module.split("\\.", 2)[0];
        boolean builtIn = (module.equals("builtins") || module.equals("__builtin__")) && BUILT_IN.contains(name);
        if (BESIDE.contains(family) || builtIn || module.equals("_codecs") && name.equals("encode")) return global;
        throw new Failure.Incompatible(file + ": asks Python for " + SafeText.of(global) + ", which builds no tensor and could run code; nothing of it was run. Do not open such a file elsewhere; get the model as safetensors");
    }

    Pickled call(Pickled function, Pickled arguments) throws Failure {
        if (function instanceof Pickled.Other) return function;
        if (!(function instanceof Pickled.Global global) || !(arguments instanceof Pickled.Tuple(List<Pickled> given))) {
            throw new Failure.Incompatible(file + ": its pickle calls something that is no function; nothing of it was run");
        }
        if (TENSORS.contains(global.toString())) return tensor(given);
        if (PARAMETERS.contains(global.toString()) && !given.isEmpty()) return given.getFirst();
        if (DICTIONARIES.contains(global.toString())) return dictionary(given);
        if (global.toString().equals(PARAMETER_DICTIONARY)) return new Pickled.Entries(Pickled.Entries.Filled.BY_PARAMETERS);
        return new Pickled.Other(global.toString());
    }

    /// Attributes of an object hold no tensors, but for the one kind of dictionary that is a module.
    void attributes(Pickled attributes, Pickled object) throws Failure {
        if (object instanceof Pickled.Entries dictionary && dictionary.filled == Pickled.Entries.Filled.BY_PARAMETERS && attributes instanceof Pickled.Entries all
                && all.entries.get("_parameters") instanceof Pickled.Entries parameters) {
            count(parameters.entries.size());
            dictionary.entries.putAll(parameters.entries);
        }
    }

    private void count(int more) throws Failure {
        arguments += more;
        if (arguments > MOST_ARGUMENTS) throw new Failure.Incompatible(file + ": its pickle calls with more arguments than any file of tensors needs; nothing of it was run");
    }

    /// An ordered dictionary is pickled empty, or (by old versions) with a list of its pairs.
    private Pickled dictionary(List<Pickled> given) throws Failure {
        Pickled.Entries entries = new Pickled.Entries();
        if (!given.isEmpty() && given.getFirst() instanceof Pickled.Items pairs) {
            count(pairs.items.size());
            for (Pickled pair : pairs.items) {
                if (pair instanceof Pickled.Tuple(List<Pickled> two) && two.size() == 2) entries.put(two.get(0), two.get(1));
                else if (pair instanceof Pickled.Items two && two.items.size() == 2) entries.put(two.items.get(0), two.items.get(1));
            }
        }
        return entries;
    }

    /// (storage, first element, sizes, strides, …).
    private Pickled tensor(List<Pickled> given) throws Failure {
        if (given.size() < 4 || !(given.get(0) instanceof Pickled.Storage storage) || !(given.get(1) instanceof Pickled.Whole(long from))
                || !(given.get(2) instanceof Pickled.Tuple(List<Pickled> sizes)) || !(given.get(3) instanceof Pickled.Tuple(List<Pickled> steps)) || sizes.size() != steps.size() || sizes.size() > MOST_AXES) {
            throw new Failure.Unreadable(file + ": a tensor of its pickle is damaged: expected storage, offset, sizes and strides; download or copy it again");
        }
        long[] axes = wholes(sizes);
        long[] strides = wholes(steps);
        Shape shape = new Shape(axes);
        boolean inOrder = true;
        long step = 1;
        long last = 0;
        for (int axis = axes.length - 1; axis >= 0 && shape.elements() > 0; axis--) {
            inOrder &= axes[axis] == 1 || strides[axis] == step;
            step = Math.multiplyExact(step, axes[axis]);
            last = Math.addExact(last, Math.multiplyExact(axes[axis] - 1, strides[axis]));
        }
        boolean inside = shape.elements() == 0 ? from >= 0 && from <= storage.elements() : from >= 0 && from < storage.elements() && last < storage.elements() - from;
        if (!inside) {
            throw new Failure.Unreadable(file + ": a tensor " + shape + " from element " + from + " lies outside its storage of " + storage.elements() + "; download or copy it again");
        }
        return new Pickled.Stored(storage, from, shape, inOrder ? List.of() : Arrays.stream(strides).boxed().toList());
    }

    private long[] wholes(List<Pickled> numbers) throws Failure {
        long[] wholes = new long[numbers.size()];
        for (int i = 0; i < wholes.length; i++) {
            if (!(numbers.get(i) instanceof Pickled.Whole(long number)) || number < 0) throw new Failure.Unreadable(file + ": a tensor of its pickle has a size or stride that is no count; download or copy it again");
            wholes[i] = number;
        }
        return wholes;
    }

    /// What a persistent id means: ("storage", type, key, device, elements, …), or ("module", class, file, source) for a class that PyTorch's older
    /// format keeps the source of, which is never looked at.
    Pickled persistent(Pickled id) throws Failure {
        if (!(id instanceof Pickled.Tuple(List<Pickled> parts)) || parts.isEmpty() || !(parts.getFirst() instanceof Pickled.Text(String kind))) throw unknown();
        if (kind.equals("module") && parts.size() == 4 && parts.get(1) instanceof Pickled.Global type) return type;
        if (kind.equals("storage") && parts.size() >= 5 && parts.get(1) instanceof Pickled.Global type && parts.get(2) instanceof Pickled.Text(String key)
                && parts.get(4) instanceof Pickled.Whole(long elements) && elements >= 0) {
            DType dtype = STORAGES.get(type.name());
            if (dtype == null) throw new Failure.Incompatible(file + ": " + SafeText.of(type) + " is a type of numbers that is not supported; expected float, half, bfloat16, double or integers");
            if (parts.size() > 5 && parts.get(5) instanceof Pickled.Tuple) throw new Failure.Incompatible(file + ": holds a view of a storage, which PyTorch has not written for years; save it again with a newer PyTorch");
            return new Pickled.Storage(dtype, key, elements);
        }
        throw unknown();
    }

    private Failure unknown() {
        return new Failure.Unreadable(file + ": its pickle names a storage in a way that PyTorch does not; download or copy it again");
    }
}
