package atomstudio.tuning.adapter;

/// The model that an adapter was trained on: its name, and the hashes of the weights of the components that the adapter
/// changes ([BaseModelHashes#hash]).
public record BaseModel(String name, String hash) {
    static final String HASH_SEPARATOR = "-";

    /// Whether two hashes can belong to the same model: the hashes of the components in both are equal.
    public static boolean sameWeights(String one, String other) {
        return one.equals(other) || one.startsWith(other + HASH_SEPARATOR) || other.startsWith(one + HASH_SEPARATOR);
    }
}
