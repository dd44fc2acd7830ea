package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// New rows of the text encoder's table for the placeholder word: the table becomes (N + n, C), its first N rows as they were, the last
/// `start` + s · (`rows` − `start`). The rows start at the mean of the class word's tokens, which `start` keeps.
/// Source: Gal et al. 2022, "An Image is Worth One Word", section 3.
public record TextualInversion(int tokens) implements TuningMethod {
    /// The table that the rows are added to.
    public static final String TABLE = "text_model.embeddings.token_embedding";

    public TextualInversion {
        if (tokens < 1) throw new IllegalArgumentException("tokens: expected at least 1, found " + tokens);
    }

    @Override public String name() {
        return "textual-inversion";
    }

    @Override public List<Slot> slots(Layer layer) {
        if (!layer.name().equals(TABLE)) return List.of();
        Shape rows = Shape.of(tokens, layer.weightShape().size(1));
        return List.of(Slot.frozen("start", rows, origin -> mean(rows, origin)), Slot.trained("rows", rows, origin -> mean(rows, origin)));
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        return new LayerWeights<>(ops.concat(base.weight(), Strength.toward(ops, theta.get("start"), theta.get("rows"), strength), 0), base.bias());
    }

    /// Each row the mean of the class tokens' rows.
    private static Tensor mean(Shape shape, Slot.Origin origin) {
        if (origin.classTokens().isEmpty()) throw new IllegalArgumentException("class: expected at least one token, found none");
        Tensor table = origin.base(), rows = Tensor.zeros(shape);
        int width = Math.toIntExact(shape.size(1));
        for (int i = 0; i < rows.data().length; i++) {
            double sum = 0;
            for (int token : origin.classTokens()) sum += table.data()[token * width + i % width];
            rows.data()[i] = (float) (sum / origin.classTokens().size());
        }
        return rows;
    }
}
