package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Trained numbers with the form that says what they do. `hash` names these numbers: hexadecimal SHA-256 of the
/// adapter file's bytes after its header. `values` are keyed `LAYER.SLOT`; `placeholder` is there where rows are
/// appended to the text encoder's table.
public record Adapter(String name, String hash, Adaptation adaptation, Map<String, Tensor> parameters,
        Optional<EmbeddingToken> embeddingToken) {
    public Adapter {
        parameters = Map.copyOf(parameters);
    }

    /// Without a word of its own.
    public Adapter(String name, String hash, Adaptation adaptation, Map<String, Tensor> parameters) {
        this(name, hash, adaptation, parameters, Optional.empty());
    }

    /// Whether it brings numbers for one of these layers.
    public boolean targets(Set<String> layers) {
        return parameters.keySet().stream().anyMatch(key -> layers.contains(key.substring(0, key.lastIndexOf('.'))));
    }

    /// A word that an adapter brings with it: in a prompt it stands for the rows that the adapter appends to the text
    /// encoder's table.
    /// @param vectors at least 1
    public record EmbeddingToken(String token, int vectors) {}
}
