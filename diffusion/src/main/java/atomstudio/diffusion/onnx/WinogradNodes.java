package atomstudio.diffusion.onnx;

import atomstudio.diffusion.onnx.Graph.Operator;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Winograd;
import atomstudio.diffusion.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A 3×3 convolution by [Winograd] as ONNX nodes. ONNX Runtime has no Winograd kernel, but fast kernels for each
/// step. Input and output transforms are convolutions of single channels. Filters are transformed in every run, so
/// that weights stay mapped and adapters can change them. Transformed inputs are more than twice and transformed
/// filters four times as large, so that large feature maps are processed in strips and large weights by groups of
/// output channels.
record WinogradNodes(GraphOps ops) {
    /// Limits on the elements of transformed inputs and filters in memory at a time.
    private static final long MAX_INPUT_POINTS = 1L << 22;
    private static final long MAX_FILTER_POINTS = 3L << 22;

    /// x (B, Ci, H, W), weight (Co, Ci, 3, 3), same padding -> (B, Co, H, W).
    Graph.Value convolve(Graph.Value x, LayerWeights<Graph.Value> layer) {
        List<Graph.Value> filters = splitFilters(layer.weight()).stream().map(this::transformFilters).toList();
        Graph.Value y = filters.size() == 1 ? images(x, filters) : strip(x, filters, x.shape().size(2), 1);
        return layer.bias() == null ? y
                : ops.add(y, ops.reshape(layer.bias(), Shape.of(1, layer.bias().shape().size(0), 1, 1)));
    }

    /// Each image of the batch in strips of whole tiles, if the batch is too large for one pass.
    private Graph.Value images(Graph.Value x, List<Graph.Value> filters) {
        long tileRows = Winograd.tileCount(x.shape().size(2)),
                pointsPerRow = Winograd.POINTS * x.shape().size(1) * Winograd.tileCount(x.shape().size(3));
        if (x.shape().size(0) * tileRows * pointsPerRow <= MAX_INPUT_POINTS)
            return strip(x, filters, x.shape().size(2), 1);
        long maxRows = Math.max(1, MAX_INPUT_POINTS / pointsPerRow);
        long strips = (tileRows + maxRows - 1) / maxRows,
                stripHeight = (tileRows + strips - 1) / strips * Winograd.TILE_SIZE;
        List<Graph.Value> images = ops.split(x, Math.toIntExact(x.shape().size(0)), 0);
        return concat(0, images.stream().map(image -> strips(image, filters, stripHeight)).toList());
    }

    private Graph.Value strips(Graph.Value image, List<Graph.Value> filters, long stripHeight) {
        long height = image.shape().size(2);
        List<Graph.Value> outputs = new ArrayList<>();
        for (long top = 0; top < height; top += stripHeight) {
            long bottom = Math.min(height, top + stripHeight), from = Math.max(0, top - 1),
                    to = Math.min(height, bottom + 1);
            Graph.Value rows = from == 0 && to == height ? image : sliceRows(image, from, to);
            outputs.add(strip(rows, filters, bottom - top, from == top ? 1 : 0));
        }
        return concat(2, outputs);
    }

    private Graph.Value sliceRows(Graph.Value image, long from, long to) {
        Graph graph = ops.graph();
        return graph.node(Operator.of("Slice"), image.shape().with(2, to - from), image, graph.constant(from),
                graph.constant(to), graph.constant(2L));
    }

    /// @param height of the output
    /// @param zeroRows rows of zero padding at the top of x
    private Graph.Value strip(Graph.Value x, List<Graph.Value> filters, long height, int zeroRows) {
        long batch = x.shape().size(0), in = x.shape().size(1), width = x.shape().size(3);
        long tileRows = Winograd.tileCount(height), tileColumns = Winograd.tileCount(width);
        Ops.ConvGeometry full = Winograd.patchGeometry(height, width);
        Ops.ConvGeometry patchGeometry = new Ops.ConvGeometry(full.stride(), zeroRows, full.padLeft(),
                Math.toIntExact(Winograd.TILE_SIZE * tileRows + 2 - zeroRows - x.shape().size(2)), full.padRight());
        Graph.Value planes = ops.reshape(x, Shape.of(batch * in, 1, x.shape().size(2), width));
        Graph.Value patches = ops.conv2d(planes, new LayerWeights<>(ops.constant(Winograd.inputTransform()), null),
                patchGeometry);
        Graph.Value flat = ops.reshape(patches, Shape.of(batch, in, Winograd.POINTS, tileRows * tileColumns));
        Graph.Value points = ops.permute(flat, 0, 2, 1, 3);
        Graph.Value products = concat(1,
                filters.stream().map(part -> ops.permute(multiply(part, points), 0, 2, 1, 3)).toList());
        long out = products.shape().size(1);
        Graph.Value tiles = ops.reshape(products, Shape.of(batch * out, Winograd.POINTS, tileRows, tileColumns));
        return ops.reshape(outputPixels(tiles, height, width), Shape.of(batch, out, height, width));
    }

    private Graph.Value concat(int axis, List<Graph.Value> parts) {
        if (parts.size() == 1) return parts.getFirst();
        Shape first = parts.getFirst().shape();
        Shape whole = first.with(axis, parts.stream().mapToLong(part -> part.shape().size(axis)).sum());
        Operator concat = Operator.of("Concat", Map.of("axis", (long) axis));
        return ops.graph().node(concat, whole, parts.toArray(Graph.Value[]::new));
    }

    private List<Graph.Value> splitFilters(Graph.Value weight) {
        long out = weight.shape().size(0), points = weight.shape().elements() / 9 * Winograd.POINTS;
        int parts = 1;
        while (points / parts > MAX_FILTER_POINTS && out % (2 * parts) == 0) parts *= 2;
        return parts == 1 ? List.of(weight) : ops.graph().splitRows(weight, parts);
    }

    /// (Co, Ci, 3, 3) -> (36, Co, Ci).
    private Graph.Value transformFilters(Graph.Value weight) {
        long out = weight.shape().size(0), in = weight.shape().size(1);
        Graph.Value points = ops.linear(ops.constant(Winograd.filterTransform()),
                new LayerWeights<>(ops.reshape(weight, Shape.of(out * in, 9)), null));
        return ops.reshape(points, Shape.of(Winograd.POINTS, out, in));
    }

    /// (36, Co, Ci) · (B, 36, Ci, N) -> (B, 36, Co, N); the filters are broadcast over the batch.
    private Graph.Value multiply(Graph.Value filters, Graph.Value points) {
        return ops.graph()
                .node(Operator.of("MatMul"), points.shape().with(2, filters.shape().size(1)), filters, points);
    }

    /// (N, 36, h, w) -> (N, 1, H, W), cropped to the size of the output.
    private Graph.Value outputPixels(Graph.Value tiles, long height, long width) {
        long tile = Winograd.TILE_SIZE;
        long[] pads = {0, 0, tiles.shape().size(2) * tile - height, tiles.shape().size(3) * tile - width};
        Operator transposed = Operator.of("ConvTranspose", Map.of("strides", new long[] {tile, tile},
                "kernel_shape", new long[] {tile, tile}, "pads", pads));
        Shape out = Shape.of(tiles.shape().size(0), 1, height, width);
        return ops.graph().node(transposed, out, tiles, ops.constant(Winograd.outputTransform()));
    }
}
