package atomstudio.diffusion.ops;

/// A use of a linear layer in a network.
/// @param sublayerInput input of the transformer's sublayer that ends with the layer, before its norm, if the network
///     names it; else the layer's input
public record LayerCall<T>(Layer layer, T sublayerInput, T input, T output) {}
