package atomstudio.diffusion.engine;

import atomstudio.diffusion.ops.Adapter;

/// An adapter at its weights: 0 is the base model, 1 the adapter as trained, below 0 its opposite.
///
/// @param weight     in the UNet, and in what else is run under it
/// @param textWeight in the text encoder
public record WeightedAdapter(Adapter adapter, double weight, double textWeight) {
    /// The largest weight either way: sliders are made for up to 8.
    public static final double MAX_WEIGHT = 10;

    /// At one weight in both networks.
    public WeightedAdapter(Adapter adapter, double weight) {
        this(adapter, weight, weight);
    }

    /// As the text encoder is run under it.
    WeightedAdapter forTextEncoder() {
        return new WeightedAdapter(adapter, textWeight);
    }

    /// Whether a number can be an adapter's weight.
    public static boolean isValidWeight(double weight) {
        return weight >= -MAX_WEIGHT && weight <= MAX_WEIGHT;
    }
}
