package atomstudio.diffusion.engine;

import atomstudio.diffusion.ops.Adapter;

/// An adapter at its weights: 0 is the base model, 1 the adapter as trained, below 0 its opposite.
///
/// @param strength     in the UNet, and in what else is run under it
/// @param textStrength in the text encoder
public record Applied(Adapter adapter, double strength, double textStrength) {
    /// The largest weight either way: sliders are made for up to 8.
    public static final double MOST_STRENGTH = 10;

    /// At one weight in both networks.
    public Applied(Adapter adapter, double strength) {
        this(adapter, strength, strength);
    }

    /// As the text encoder is run under it.
    Applied onText() {
        return new Applied(adapter, textStrength);
    }

    /// Whether a number can be an adapter's weight.
    public static boolean isStrength(double strength) {
        return strength >= -MOST_STRENGTH && strength <= MOST_STRENGTH;
    }
}
