package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;

/// Rank r and α of a low-rank method, whose update is scaled by α/r.
record RankScale(int rank, double alpha) {
    RankScale {
        if (rank < 1) throw new IllegalArgumentException("rank: expected at least 1, found " + rank);
        if (!(alpha > 0 && Double.isFinite(alpha)))
            throw new IllegalArgumentException("alpha: expected a number above 0, found " + alpha);
    }

    /// The down projection's shape: (r, Ci) or (r, Ci, k, k).
    Shape downShape(Layer layer) {
        return layer.weightShape().with(0, rank);
    }

    /// The up projection's shape: (Co, r) or (Co, r, 1, 1).
    Shape upShape(Layer layer) {
        long outputs = layer.weightShape().size(0);
        return layer.weightShape().rank() == 4 ? Shape.of(outputs, rank, 1, 1) : Shape.of(outputs, rank);
    }
}
