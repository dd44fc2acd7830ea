package atomstudio.diffusion.ops;

/// A word that an adapter brings with it: in a prompt it stands for the rows that the adapter appends to the text encoder's table.
/// @param rows at least 1
public record Placeholder(String word, int rows) {}
