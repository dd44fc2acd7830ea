package atomstudio.diffusion.engine;

import atomstudio.diffusion.ops.Adapter;

/// An adapter and its weights: 0 is the base model, 1 the adapter as trained, below 0 its inverse.
///
/// @param weight for the UNet
/// @param textWeight for the text encoder
public record WeightedAdapter(Adapter adapter, double weight, double textWeight) {
    /// Slider adapters are made for weights up to 8.
    public static final double MAX_WEIGHT = 10;

    /// With the same weight for both networks.
    public WeightedAdapter(Adapter adapter, double weight) {
        this(adapter, weight, weight);
    }

    /// With the text encoder's weight as its weight.
    WeightedAdapter forTextEncoder() {
        return new WeightedAdapter(adapter, textWeight);
    }

    public static boolean isValidWeight(double weight) {
        return weight >= -MAX_WEIGHT && weight <= MAX_WEIGHT;
    }
}
