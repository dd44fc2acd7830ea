package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import java.util.List;

/// A low-rank method with another rank on the layers of a pattern.
record RankedMethod(Factory factory, RankScale scale, RankPattern pattern) implements LayerwiseMethod {
    @FunctionalInterface
    interface Factory {
        TuningMethod create(int rank, double alpha);
    }

    /// The method itself where the pattern is empty.
    static TuningMethod of(MethodSettings settings, Factory factory) {
        RankPattern pattern = RankPattern.parse(settings.value(MethodSetting.RANK_PATTERN));
        TuningMethod method = factory.create(settings.rank(), settings.alpha());
        return pattern.entries().isEmpty() ? method
                : new RankedMethod(factory, new RankScale(settings.rank(), settings.alpha()), pattern);
    }

    @Override
    public TuningMethod methodFor(Layer layer) {
        int rank = pattern.rankOf(layer, scale.rank());
        return factory.create(rank, scale.alpha() * rank / scale.rank());
    }

    @Override
    public String name() {
        return factory.create(scale.rank(), scale.alpha()).name();
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
