package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// New rows of the token embedding table for the placeholder word: the table (N, C) becomes (N + n, C), with the N base
/// rows unchanged, followed by `start` + s · (`rows` − `start`). `rows` is initialized to the mean of the class word's
/// token embeddings, which `start` stores.
/// Several rows are several tokens, one after the other: with them it is prompt tuning.
/// Source: Gal et al. 2022, "An Image is Worth One Word", section 3; Zhou et al. 2022, "Learning to Prompt for
/// Vision-Language Models", equation 3.
public record TextualInversion(int tokenCount) implements TuningMethod {
    /// Layer name of the token embedding table.
    public static final String TOKEN_EMBEDDING = "text_model.embeddings.token_embedding";

    public TextualInversion {
        if (tokenCount < 1) throw new IllegalArgumentException("tokens: expected at least 1, found " + tokenCount);
    }

    @Override
    public String name() {
        return "textual-inversion";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        if (!layer.name().equals(TOKEN_EMBEDDING)) return List.of();
        Shape rows = Shape.of(tokenCount, layer.weightShape().size(1));
        return List.of(ParameterSpec.frozen("start", rows, context -> meanOfClassTokens(rows, context)),
                ParameterSpec.trained("rows", rows, context -> meanOfClassTokens(rows, context)));
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T rows = ScaledDelta.interpolate(ops, parameters.get("start"), parameters.get("rows"), adapterWeight);
        return new LayerWeights<>(ops.concat(base.weight(), rows, 0), base.bias());
    }

    /// Every row is the mean of the class tokens' rows.
    private static Tensor meanOfClassTokens(Shape shape, ParameterSpec.InitContext context) {
        if (context.classTokens().isEmpty())
            throw new IllegalArgumentException("class: expected at least one token, found none");
        Tensor embeddings = context.readBaseWeight();
        int width = Math.toIntExact(shape.size(1));
        return Tensor.generate(shape, i -> context.classTokens()
                .stream()
                .mapToDouble(token -> embeddings.data()[token * width + i % width])
                .average()
                .orElseThrow());
    }
}
