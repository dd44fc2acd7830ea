package atomstudio.tuning.adapter;

/// The model that an adapter was trained on: its name, and the hashes of the weights in the parts that it changes ([BaseHashes#of]).
public record BaseModel(String name, String hash) {
    static final String AND = "-";

    /// Whether two hashes can be of one model: those of the parts that both name are equal.
    public static boolean agree(String one, String other) {
        return one.equals(other) || one.startsWith(other + AND) || other.startsWith(one + AND);
    }
}
