package atomstudio.tuning.adapter;

/// The model that an adapter was trained on: its name, and the hash of the weights in the parts that it changes ([BaseHashes#of]).
public record BaseModel(String name, String hash) {}
