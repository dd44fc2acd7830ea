package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.setting.OptionValue;
import java.util.List;

/// A low-rank method with another rank on the layers of a pattern, or with another scale than α/r.
record RankedMethod(Factory factory, RankScale scale, Scaling scaling, RankPattern pattern)
        implements LayerwiseMethod {
    /// The scale of the update.
    /// Source: Hu et al. 2021 (LoRA), section 4.1; Kalajdzievski 2023, "A Rank Stabilization Scaling Factor for
    /// Fine-Tuning with LoRA" (rsLoRA), section 3.
    enum Scaling implements OptionValue {
        /// α/r.
        STANDARD,
        /// α/√r.
        RANK_STABILIZED;

        /// The α with which α/r is this scale.
        double alpha(double alpha, long rank) {
            return this == RANK_STABILIZED ? alpha * Math.sqrt(rank) : alpha;
        }
    }

    @FunctionalInterface
    interface Factory {
        TuningMethod create(int rank, double alpha);
    }

    /// The method itself where the pattern is empty.
    static TuningMethod of(MethodSettings settings, Factory factory) {
        RankPattern pattern = RankPattern.parse(settings.value(MethodSetting.RANK_PATTERN));
        RankScale scale = new RankScale(settings.rank(), settings.alpha());
        RankedMethod method = new RankedMethod(factory, scale,
                settings.value(MethodSetting.SCALING, Scaling.class), pattern);
        return pattern.entries().isEmpty() ? method.create(settings.rank()) : method;
    }

    /// α / rank is the same for all layers.
    private TuningMethod create(int rank) {
        return factory.create(rank, scaling.alpha(scale.alpha() * rank / scale.rank(), rank));
    }

    @Override
    public TuningMethod methodFor(Layer layer) {
        return create(pattern.rankOf(layer, scale.rank()));
    }

    @Override
    public String name() {
        return create(scale.rank()).name();
    }

    @Override
    public boolean isBranch() {
        return create(scale.rank()).isBranch();
    }

    @Override
    public boolean skipsIndivisible(Layer layer) {
        return methodFor(layer).skipsIndivisible(layer);
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        return methodFor(layer).parameterSpecs(layer);
    }
}
