package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Collections;
import java.util.List;

/// The shape-only backend: tensors are shapes, and every operation checks its operands. Needs no native library.
/// @throws IllegalArgumentException from every operation if operand shapes do not match
public final class ShapeOps implements Ops<Shape> {
    @Override
    public Shape shape(Shape x) {
        return x;
    }

    @Override
    public Shape add(Shape a, Shape b) {
        return broadcast("add", a, b);
    }

    @Override
    public Shape multiply(Shape a, Shape b) {
        return broadcast("multiply", a, b);
    }

    @Override
    public Shape scale(Shape x, double factor) {
        return x;
    }

    @Override
    public Shape matmul(Shape a, Shape b) {
        check(a.rank() >= 2 && a.rank() == b.rank() && a.size(-1) == b.size(-2), "matmul", a, b);
        for (int axis = 0; axis < a.rank() - 2; axis++) check(a.size(axis) == b.size(axis), "matmul", a, b);
        return a.with(-1, b.size(-1));
    }

    @Override
    public Shape conv2d(Shape x, LayerWeights<Shape> weights, ConvGeometry geometry) {
        LayerWeights<Shape> layer = weights.materialized(this);
        Shape w = layer.weight();
        int groups = geometry.groups();
        check(x.rank() == 4 && w.rank() == 4 && x.size(1) == w.size(1) * groups && w.size(0) % groups == 0,
                groups == 1 ? "conv2d" : "conv2d of " + groups + " groups", x, w);
        checkBias("conv2d", layer);
        long height = (x.size(2) + geometry.padTop() + geometry.padBottom() - w.size(2)) / geometry.stride() + 1;
        long width = (x.size(3) + geometry.padLeft() + geometry.padRight() - w.size(3)) / geometry.stride() + 1;
        return Shape.of(x.size(0), w.size(0), height, width);
    }

    @Override
    public Shape linear(Shape x, LayerWeights<Shape> weights) {
        LayerWeights<Shape> layer = weights.materialized(this);
        Shape w = layer.weight();
        check(w.rank() == 2 && x.rank() >= 1 && x.size(-1) == w.size(1), "linear", x, w);
        checkBias("linear", layer);
        return x.with(-1, w.size(0));
    }

    @Override
    public Shape groupNorm(Shape x, LayerWeights<Shape> layer, int groups, double epsilon) {
        check(x.rank() >= 3 && layer.weight().equals(Shape.of(x.size(1))) && x.size(1) % groups == 0,
                "groupNorm of " + groups + " groups", x, layer.weight());
        return x;
    }

    @Override
    public Shape layerNorm(Shape x, LayerWeights<Shape> layer, double epsilon) {
        check(layer.weight().equals(Shape.of(x.size(-1))), "layerNorm", x, layer.weight());
        return x;
    }

    @Override
    public Shape batchNorm(Shape x, LayerWeights<Shape> layer, BatchStatistics<Shape> statistics, double epsilon) {
        Shape channels = Shape.of(x.size(1));
        check(x.rank() == 4 && layer.weight().equals(channels), "batchNorm", x, layer.weight());
        check(statistics.mean().equals(channels) && statistics.variance().equals(channels), "batchNorm by statistics",
                x, statistics.variance());
        return x;
    }

    @Override
    public Shape maxPool(Shape x, PoolWindow window) {
        check(x.rank() == 4 && Math.min(x.size(2), x.size(3)) + 2 * window.padding() >= window.size()
                && 2 * window.padding() <= window.size(), "maxPool", x, Shape.of(window.size(), window.size()));
        return x.with(2, window.outputSize(x.size(2))).with(3, window.outputSize(x.size(3)));
    }

    @Override
    public Shape globalAveragePool(Shape x) {
        check(x.rank() == 4, "globalAveragePool of (B,C,H,W)", x, x);
        return Shape.of(x.size(0), x.size(1));
    }

    @Override
    public Shape silu(Shape x) {
        return x;
    }

    @Override
    public Shape gelu(Shape x) {
        return x;
    }

    @Override
    public Shape quickGelu(Shape x) {
        return x;
    }

    @Override
    public Shape relu(Shape x) {
        return x;
    }

    @Override
    public Shape tanh(Shape x) {
        return x;
    }

    @Override
    public Shape attention(Shape q, Shape k, Shape v, AttentionConfig config) {
        check(q.rank() == 3 && k.equals(v) && q.size(0) == k.size(0) && q.size(2) == k.size(2), "attention", q, k);
        check(q.size(2) % config.heads() == 0, "attention with " + config.heads() + " heads", q, k);
        return q;
    }

    @Override
    public Shape embedding(Shape table, Shape ids) {
        check(table.rank() == 2 && ids.rank() == 2, "embedding", table, ids);
        return Shape.of(ids.size(0), ids.size(1), table.size(1));
    }

    @Override
    public Shape upsampleNearest(Shape x, long height, long width) {
        return Shape.of(x.size(0), x.size(1), height, width);
    }

    @Override
    public Shape concat(Shape a, Shape b, int axis) {
        check(a.with(axis, 0).equals(b.with(axis, 0)), "concat along axis " + axis, a, b);
        return a.with(axis, a.size(axis) + b.size(axis));
    }

    @Override
    public List<Shape> split(Shape x, int parts, int axis) {
        if (x.size(axis) % parts != 0)
            throw new IllegalArgumentException("split of " + x + ": axis " + axis + " is not a multiple of " + parts);
        return Collections.nCopies(parts, x.with(axis, x.size(axis) / parts));
    }

    @Override
    public Shape reshape(Shape x, Shape to) {
        check(x.elements() == to.elements(), "reshape", x, to);
        return to;
    }

    @Override
    public Shape permute(Shape x, int... axes) {
        long[] sizes = new long[axes.length];
        for (int i = 0; i < axes.length; i++) sizes[i] = x.size(axes[i]);
        return new Shape(sizes);
    }

    @Override
    public Shape constant(Tensor values) {
        return values.shape();
    }

    @Override
    public Shape skewSymmetric(Shape upperTriangle, int side) {
        check(upperTriangle.rank() == 2 && upperTriangle.size(1) == side * (side - 1L) / 2,
                "skewSymmetric of (N,n(n-1)/2)",
                upperTriangle, Shape.of(side, side));
        return Shape.of(upperTriangle.size(0), side, side);
    }

    @Override
    public Shape inverse(Shape x) {
        check(x.rank() == 3 && x.size(1) == x.size(2), "inverse of (N,n,n)", x, x);
        return x;
    }

    @Override
    public Shape reciprocalRowNorms(Shape x) {
        check(x.rank() == 2, "reciprocalRowNorms of (N,K)", x, x);
        return Shape.of(x.size(0), 1);
    }

    private static Shape broadcast(String operation, Shape a, Shape b) {
        int rank = Math.max(a.rank(), b.rank());
        long[] sizes = new long[rank];
        for (int i = 0; i < rank; i++) {
            long left = i < rank - a.rank() ? 1 : a.size(i - rank);
            long right = i < rank - b.rank() ? 1 : b.size(i - rank);
            check(left == right || left == 1 || right == 1, operation, a, b);
            sizes[i] = left == 1 ? right : left;
        }
        return new Shape(sizes);
    }

    private static void checkBias(String operation, LayerWeights<Shape> layer) {
        Shape bias = layer.bias();
        if (bias != null)
            check(bias.equals(Shape.of(layer.weight().size(0))), operation + " with bias", layer.weight(), bias);
    }

    private static void check(boolean condition, String operation, Shape a, Shape b) {
        if (!condition) throw new IllegalArgumentException(operation + ": " + a + " and " + b + " do not match");
    }
}
