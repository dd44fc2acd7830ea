package atomstudio.diffusion.tensor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The values that the unpickler builds: plain data, no objects with behaviour.
sealed interface PickleValue {
    record PyString(String text) implements PickleValue {}

    record PyInt(long value) implements PickleValue {}

    record PyFloat(double value) implements PickleValue {}

    record PyBool(boolean value) implements PickleValue {}

    /// None, or a value whose content is ignored: bytes, huge integers, objects next to the tensors.
    record Opaque(String description) implements PickleValue {}

    record PyTuple(List<PickleValue> items) implements PickleValue {}

    /// A mutable list. Equality is identity, since it may contain itself.
    final class PyList implements PickleValue {
        final List<PickleValue> items = new ArrayList<>();
    }

    /// A mutable dictionary; entries whose key is neither a string nor an integer are dropped. Keys are strings, whose
    /// order keeps lookups fast in a hash map with colliding keys.
    final class PyDict implements PickleValue {
        final Map<String, PickleValue> entries = new LinkedHashMap<>();
        final Kind kind;
        /// A key whose tensor was replaced by another value; Python writes every key once.
        @Nullable
        String repeatedKey;

        /// A dict, or torch's ParameterDict, whose entries are in its `_parameters` attribute.
        enum Kind { DICT, PARAMETER_DICT }

        PyDict() {
            this(Kind.DICT);
        }

        PyDict(Kind kind) {
            this.kind = kind;
        }

        void put(PickleValue key, PickleValue value) {
            switch (key) {
                case PyString(String text) -> put(text, value);
                case PyInt(long number) -> put(Long.toString(number), value);
                case PyFloat _,PyBool _,Opaque _,PyTuple _,PyList _,PyDict _,Global _,Storage _,TensorRef _ -> {}
            }
        }

        private void put(String key, PickleValue value) {
            if (entries.put(key, value) instanceof TensorRef) repeatedKey = key;
        }
    }

    /// A Python global (class or function); only those that build tensors are interpreted.
    record Global(String module, String name) implements PickleValue {
        @Override
        public String toString() {
            return module + "." + name;
        }
    }

    /// A typed array in the file, identified by its key.
    record Storage(DType dtype, String key, long elements) implements PickleValue {}

    /// A tensor: a view of a storage.
    /// @param storageOffset of its first element, in elements
    /// @param strides in elements, one per axis; empty for a contiguous tensor
    record TensorRef(Storage storage, long storageOffset, Shape shape, List<Long> strides) implements PickleValue {}
}
