package atomstudio.diffusion.tensor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What a pickle may be made of here. None of it can do anything.
sealed interface Pickled {
    record Text(String text) implements Pickled {}

    record Whole(long number) implements Pickled {}

    record Real(double number) implements Pickled {}

    record Flag(boolean set) implements Pickled {}

    /// None, or something whose content does not matter: bytes, huge numbers, sets, objects that stand beside the tensors.
    record Other(String what) implements Pickled {}

    record Tuple(List<Pickled> items) implements Pickled {}

    /// A list as it grows. Identity, not content, makes it equal: it may hold itself.
    final class Items implements Pickled {
        final List<Pickled> items = new ArrayList<>();
    }

    /// A dictionary as it grows; entries whose key is neither a text nor a whole number are dropped. Keys are kept as texts: their order makes
    /// look-ups quick even where somebody chose keys of equal hashes.
    final class Entries implements Pickled {
        final Map<String, Pickled> entries = new LinkedHashMap<>();
        final Filled filled;

        /// By its own entries, or by the parameters among its attributes.
        enum Filled { BY_ENTRIES, BY_PARAMETERS }

        Entries() {
            this(Filled.BY_ENTRIES);
        }

        Entries(Filled filled) {
            this.filled = filled;
        }

        void put(Pickled key, Pickled value) {
            switch (key) {
                case Text(String text) -> entries.put(text, value);
                case Whole(long number) -> entries.put(Long.toString(number), value);
                case Real _, Flag _, Other _, Tuple _, Items _, Entries _, Global _, Storage _, Stored _ -> { }
            }
        }
    }

    /// A name of Python's; only those that build tensors mean something.
    record Global(String module, String name) implements Pickled {
        @Override public String toString() {
            return module + "." + name;
        }
    }

    /// Numbers in a place of the file that has a key.
    record Storage(DType dtype, String key, long elements) implements Pickled {}

    /// A tensor: elements of a storage, from one on.
    /// @param strides elements from one to the next along each axis; none where the elements lie in the tensor's own order
    record Stored(Storage storage, long from, Shape shape, List<Long> strides) implements Pickled {}
}
