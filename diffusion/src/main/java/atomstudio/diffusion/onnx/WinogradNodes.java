package atomstudio.diffusion.onnx;

import atomstudio.diffusion.onnx.Graph.Operator;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Winograd;
import atomstudio.diffusion.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A 3×3 convolution written as Winograd's: ONNX Runtime has no such kernel, but each of its steps is an operator
/// that it has a fast one for. The maps of patches and tiles are convolutions of single channels; kernels go to their
/// points in every run, so that weights stay where they are mapped and adapters change them as ever. Points are more
/// than twice the pixels and four times the weights, so that large pictures go through in strips and large weights by
/// some output channels at a time.
record WinogradNodes(Graph graph, GraphOps ops) {
    /// Numbers at points that are held at a time, of pixels and of kernels.
    private static final long MAX_PIXEL_POINTS = 1L << 22;
    private static final long MAX_KERNEL_POINTS = 3L << 22;

    /// x (B,Ci,H,W), weight (Co,Ci,3,3), padded so that the size stays: (B,Co,H,W).
    Graph.Value convolve(Graph.Value x, LayerWeights<Graph.Value> layer) {
        List<Graph.Value> kernels = splitKernels(layer.weight()).stream().map(this::transformKernels).toList();
        Graph.Value y = kernels.size() == 1 ? images(x, kernels) : strip(x, kernels, x.shape().size(2), 1);
        return layer.bias() == null ? y
                : ops.add(y, ops.reshape(layer.bias(), Shape.of(1, layer.bias().shape().size(0), 1, 1)));
    }

    /// Each picture by itself, in strips of whole tiles.
    private Graph.Value images(Graph.Value x, List<Graph.Value> kernels) {
        long tileRows = Winograd.tileCount(x.shape().size(2)),
                pointsPerRow = Winograd.POINTS * x.shape().size(1) * Winograd.tileCount(x.shape().size(3));
        if (x.shape().size(0) * tileRows * pointsPerRow <= MAX_PIXEL_POINTS)
            return strip(x, kernels, x.shape().size(2), 1);
        long maxRows = Math.max(1, MAX_PIXEL_POINTS / pointsPerRow);
        long strips = (tileRows + maxRows - 1) / maxRows,
                stripHeight = (tileRows + strips - 1) / strips * Winograd.TILE_SIZE;
        return concat(0,
                ops.split(x, Math.toIntExact(x.shape().size(0)), 0)
                        .stream()
                        .map(image -> strips(image, kernels, stripHeight))
                        .toList());
    }

    private Graph.Value strips(Graph.Value image, List<Graph.Value> kernels, long stripHeight) {
        long height = image.shape().size(2);
        List<Graph.Value> done = new ArrayList<>();
        for (long top = 0; top < height; top += stripHeight) {
            long bottom = Math.min(height, top + stripHeight), from = Math.max(0, top - 1),
                    to = Math.min(height, bottom + 1);
            Graph.Value input = from == 0 && to == height ? image
                    : graph.node(Operator.of("Slice"), image.shape().with(2, to - from), image, graph.constant(from),
                            graph.constant(to), graph.constant(2L));
            done.add(strip(input, kernels, bottom - top, from == top ? 1 : 0));
        }
        return concat(2, done);
    }

    /// @param height of what comes out
    /// @param zeroRows  rows of zeros that x has to be given at its top
    private Graph.Value strip(Graph.Value x, List<Graph.Value> kernels, long height, int zeroRows) {
        long batch = x.shape().size(0), in = x.shape().size(1), width = x.shape().size(3);
        long down = Winograd.tileCount(height), across = Winograd.tileCount(width);
        Ops.ConvGeometry full = Winograd.patchGeometry(height, width);
        Ops.ConvGeometry patchGeometry = new Ops.ConvGeometry(full.stride(), zeroRows, full.padLeft(),
                Math.toIntExact(Winograd.TILE_SIZE * down + 2 - zeroRows - x.shape().size(2)), full.padRight());
        Graph.Value single = ops.reshape(x, Shape.of(batch * in, 1, x.shape().size(2), width));
        Graph.Value patches = ops.conv2d(single, new LayerWeights<>(ops.constant(Winograd.inputTransform()), null),
                patchGeometry);
        Graph.Value points = ops.permute(ops.reshape(patches, Shape.of(batch, in, Winograd.POINTS, down * across)), 0,
                2, 1, 3);
        Graph.Value products = concat(1,
                kernels.stream().map(part -> ops.permute(multiply(part, points), 0, 2, 1, 3)).toList());
        long out = products.shape().size(1);
        return ops.reshape(assemblePixels(ops.reshape(products, Shape.of(batch * out, Winograd.POINTS, down, across)),
                height, width), Shape.of(batch, out, height, width));
    }

    private Graph.Value concat(int axis, List<Graph.Value> parts) {
        if (parts.size() == 1) return parts.getFirst();
        Shape first = parts.getFirst().shape();
        Shape whole = first.with(axis, parts.stream().mapToLong(part -> part.shape().size(axis)).sum());
        return graph.node(Operator.of("Concat", Map.of("axis", (long) axis)), whole, parts.toArray(Graph.Value[]::new));
    }

    private List<Graph.Value> splitKernels(Graph.Value weight) {
        long out = weight.shape().size(0), points = weight.shape().elements() / 9 * Winograd.POINTS;
        int parts = 1;
        while (points / parts > MAX_KERNEL_POINTS && out % (2 * parts) == 0) parts *= 2;
        return parts == 1 ? List.of(weight) : graph.splitRows(weight, parts);
    }

    /// (Co,Ci,3,3) -> (36,Co,Ci).
    private Graph.Value transformKernels(Graph.Value weight) {
        long out = weight.shape().size(0), in = weight.shape().size(1);
        Graph.Value points = ops.linear(ops.constant(Winograd.filterTransform()),
                new LayerWeights<>(ops.reshape(weight, Shape.of(out * in, 9)), null));
        return ops.reshape(points, Shape.of(Winograd.POINTS, out, in));
    }

    /// (36,Co,Ci) · (B,36,Ci,N) -> (B,36,Co,N), the kernels repeated for each of the batch.
    private Graph.Value multiply(Graph.Value kernels, Graph.Value points) {
        return graph.node(Operator.of("MatMul"), points.shape().with(2, kernels.shape().size(1)), kernels, points);
    }

    /// (N,36,h,w) -> (N,1,H,W), what lies beyond the edge cut off.
    private Graph.Value assemblePixels(Graph.Value planes, long height, long width) {
        long tile = Winograd.TILE_SIZE;
        long[] pads = {0, 0, planes.shape().size(2) * tile - height, planes.shape().size(3) * tile - width};
        return graph.node(
                Operator.of("ConvTranspose",
                        Map.of("strides", new long[] {tile, tile}, "kernel_shape", new long[] {tile, tile}, "pads",
                                pads)),
                Shape.of(planes.shape().size(0), 1, height, width), planes, ops.constant(Winograd.outputTransform()));
    }
}
