package atomstudio.diffusion.tensor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What a pickle may be made of here. None of it can do anything.
sealed interface PickleValue {
    record PyString(String text) implements PickleValue {}

    record PyInt(long value) implements PickleValue {}

    record PyFloat(double value) implements PickleValue {}

    record PyBool(boolean value) implements PickleValue {}

    /// None, or something whose content does not matter: bytes, huge numbers, sets, objects that stand beside the
    /// tensors.
    record Opaque(String description) implements PickleValue {}

    record PyTuple(List<PickleValue> items) implements PickleValue {}

    /// A list as it grows. Identity, not content, makes it equal: it may hold itself.
    final class PyList implements PickleValue {
        final List<PickleValue> items = new ArrayList<>();
    }

    /// A dictionary as it grows; entries whose key is neither a text nor a whole number are dropped. Keys are kept as
    /// texts: their order makes look-ups quick even where somebody chose keys of equal hashes.
    final class PyDict implements PickleValue {
        final Map<String, PickleValue> entries = new LinkedHashMap<>();
        final Kind kind;

        /// By its own entries, or by the parameters among its attributes.
        enum Kind { DICT, PARAMETER_DICT }

        PyDict() {
            this(Kind.DICT);
        }

        PyDict(Kind kind) {
            this.kind = kind;
        }

        void put(PickleValue key, PickleValue value) {
            switch (key) {
                case PyString(String text) -> entries.put(text, value);
                case PyInt(long number) -> entries.put(Long.toString(number), value);
                case PyFloat _,PyBool _,Opaque _,PyTuple _,PyList _,PyDict _,Global _,Storage _,TensorRef _ -> {}
            }
        }
    }

    /// A name of Python's; only those that build tensors mean something.
    record Global(String module, String name) implements PickleValue {
        @Override
        public String toString() {
            return module + "." + name;
        }
    }

    /// Numbers in a place of the file that has a key.
    record Storage(DType dtype, String key, long elements) implements PickleValue {}

    /// A tensor: elements of a storage, from one on.
    /// @param strides elements from one to the next along each axis; none where the elements lie in the tensor's own
    ///     order
    record TensorRef(Storage storage, long storageOffset, Shape shape, List<Long> strides) implements PickleValue {}
}
