package atomstudio.diffusion.ops;

/// A word that an adapter brings with it: in a prompt it stands for the rows that the adapter appends to the text encoder's table.
/// @param vectors at least 1
public record EmbeddingToken(String token, int vectors) {}
