package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// New rows of the text encoder's table for the placeholder word: the table becomes (N + n, C), its first N rows as
/// they were, the last `start` + s · (`rows` − `start`). The rows start at the mean of the class word's tokens, which
/// `start` keeps.
/// Source: Gal et al. 2022, "An Image is Worth One Word", section 3.
public record TextualInversion(int tokenCount) implements TuningMethod {
    /// The table that the rows are added to.
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
        return List.of(ParameterSpec.frozen("start", rows, origin -> meanOfClassTokens(rows, origin)),
                ParameterSpec.trained("rows", rows, origin -> meanOfClassTokens(rows, origin)));
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        return new LayerWeights<>(ops.concat(base.weight(),
                ScaledDelta.interpolate(ops, parameters.get("start"), parameters.get("rows"), adapterWeight), 0),
                base.bias());
    }

    /// Each row the mean of the class tokens' rows.
    private static Tensor meanOfClassTokens(Shape shape, ParameterSpec.InitContext origin) {
        if (origin.classTokens().isEmpty())
            throw new IllegalArgumentException("class: expected at least one token, found none");
        Tensor embeddings = origin.readBaseWeight(), rows = Tensor.zeros(shape);
        int width = Math.toIntExact(shape.size(1));
        for (int i = 0; i < rows.data().length; i++) {
            double sum = 0;
            for (int token : origin.classTokens()) sum += embeddings.data()[token * width + i % width];
            rows.data()[i] = (float) (sum / origin.classTokens().size());
        }
        return rows;
    }
}
