package atomstudio.diffusion.engine;

import atomstudio.diffusion.ops.Adapter;

/// An adapter at a strength: 0 is the base model, 1 the adapter as trained.
public record Applied(Adapter adapter, double strength) {}
