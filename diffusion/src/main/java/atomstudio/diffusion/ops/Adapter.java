package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Trained parameters with the adaptation that applies them.
/// @param hash hexadecimal SHA-256 of its parameters, equal for equal ones
/// @param fileHash hexadecimal SHA-256 of the adapter file's bytes after its header, by which other programs know it
/// @param parameters by `LAYER.PARAMETER`
/// @param embeddingToken present if rows are appended to the text encoder's embedding table
public record Adapter(String name, String hash, String fileHash, Adaptation adaptation,
        Map<String, Tensor> parameters, Optional<EmbeddingToken> embeddingToken) {
    public Adapter {
        parameters = Map.copyOf(parameters);
    }

    /// Without an embedding token.
    public Adapter(String name, String hash, Adaptation adaptation, Map<String, Tensor> parameters) {
        this(name, hash, adaptation, parameters, Optional.empty());
    }

    /// Not read from a file.
    public Adapter(String name, String hash, Adaptation adaptation, Map<String, Tensor> parameters,
            Optional<EmbeddingToken> embeddingToken) {
        this(name, hash, hash, adaptation, parameters, embeddingToken);
    }

    public Adapter withFileHash(String fileHash) {
        return new Adapter(name, hash, fileHash, adaptation, parameters, embeddingToken);
    }

    /// Whether it has parameters for one of these layers.
    public boolean targets(Set<String> layers) {
        return parameters.keySet().stream().anyMatch(key -> layers.contains(key.substring(0, key.lastIndexOf('.'))));
    }

    /// The token of an embedding (textual inversion): in a prompt it expands to the rows that the adapter appends to
    /// the text encoder's embedding table.
    /// @param vectors number of rows, at least 1
    public record EmbeddingToken(String token, int vectors) {}
}
