package atomstudio.tuning.adapter;

import java.util.Locale;
import java.util.Optional;

/// The model that an adapter was trained on: its name, and the hashes of the weights of the components that the adapter
/// changes ([BaseModelHashes#hash]), before another adapter was merged in.
/// @param merged the adapter that was merged into it before the training
public record BaseModel(String name, String hash, Optional<MergedAdapter> merged) {
    static final String HASH_SEPARATOR = "-";

    /// A model alone.
    public BaseModel(String name, String hash) {
        this(name, hash, Optional.empty());
    }

    /// @param fileName without folder
    /// @param sha256   of the file
    public record MergedAdapter(String fileName, String sha256, double weight) {
        /// As after `--adapter`: `car.safetensors:0.8`.
        public String text() {
            return fileName
                    + String.format(Locale.ROOT, ":%s", weight == Math.rint(weight) ? Long.toString((long) weight)
                            : Double.toString(weight));
        }
    }

    /// The name, with that of the merged adapter.
    public String title() {
        return merged.map(adapter -> name + " with " + adapter.text() + " merged in").orElse(name);
    }

    /// Whether two hashes can belong to the same model: the hashes of the components in both are equal.
    public static boolean sameWeights(String one, String other) {
        return one.equals(other) || one.startsWith(other + HASH_SEPARATOR) || other.startsWith(one + HASH_SEPARATOR);
    }
}
