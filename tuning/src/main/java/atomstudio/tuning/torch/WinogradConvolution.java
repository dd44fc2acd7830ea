package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Winograd;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// A frozen 3×3 convolution by Winograd's minimal filtering, with its gradients with respect to the input and to the
/// kernel transform M. Transformed kernels use G · (I + M)ᵀ instead of the filter transform G, so neither an effective
/// weight nor its gradient is computed. Autograd would save the transformed kernels, four times the weights.
/// @param layer weight (Co, Ci, 3, 3) and kernel transform (9, 9) or null; the caller adds the bias
record WinogradConvolution(TorchKernels kernels, LayerWeights<NDArray> layer)
        implements CustomFunction.OfKernelTransform {
    /// Number of tiles from which it is faster; measured (docs/performance.md).
    private static final long MIN_TILES = 64;

    /// Whether this is faster: as in `Winograd`, and only for whole tiles on the CPU.
    static boolean isFaster(NDArray x, LayerWeights<NDArray> layer, Ops.ConvGeometry geometry) {
        boolean shared = layer.kernelTransform() == null || layer.kernelTransform().getShape().dimension() == 2;
        return shared && !x.getDevice().isGpu()
                && isFaster(DjlShapes.shape(x), DjlShapes.shape(layer.weight()), geometry);
    }

    /// The same for an input (B, Ci, H, W) and a weight (Co, Ci, k, k).
    static boolean isFaster(Shape x, Shape weight, Ops.ConvGeometry geometry) {
        boolean whole = x.size(2) % Winograd.TILE_SIZE == 0 && x.size(3) % Winograd.TILE_SIZE == 0;
        return whole && Winograd.isFaster(x, weight, geometry)
                && x.size(0) * Winograd.tileCount(x.size(2)) * Winograd.tileCount(x.size(3)) >= MIN_TILES;
    }

    @Override
    public NDArray forward(NDArray x) {
        return runScript("forward", x, script(x).forward(), Winograd.filterTransform());
    }

    @Override
    public Gradients backward(NDArray x, NDArray gradient, boolean needsInputGradient) {
        NDArray input = needsInputGradient
                ? runScript("back", gradient, script(gradient).inputGradient(), flipped(Winograd.filterTransform()))
                : null;
        return gradients(input, () -> transformGradient(x, gradient));
    }

    private NDArray transformGradient(NDArray x, NDArray gradient) {
        NDArray[] inputs = {x, gradient, layer.weight(), kernels.constant(Winograd.inputTransform()),
                kernels.constant(Winograd.filterTransform()), kernels.constant(Winograd.outputTransform())};
        return kernels.script("winograd transform gradient " + script(x), new String[] {"x", "y", "w", "b", "k", "a"},
                script(x).transformGradient(), inputs);
    }

    private NDArray runScript(String direction, NDArray images, String[] body, Tensor kernelMap) {
        String name = "winograd " + direction + " " + script(images), side = direction.equals("forward") ? "x" : "y";
        NDArray patches = kernels.constant(Winograd.inputTransform()), points = kernels.constant(kernelMap),
                tiles = kernels.constant(Winograd.outputTransform());
        NDArray transform = layer.kernelTransform();
        if (transform == null)
            return kernels.script(name, new String[] {side, "w", "b", "k", "a"}, body, images, layer.weight(), patches,
                    points, tiles);
        return kernels.script(name, new String[] {side, "w", "b", "k", "a", "m"}, body, images, layer.weight(), patches,
                points, tiles, transform);
    }

    private WinogradScript script(NDArray images) {
        Shape size = DjlShapes.shape(images), weight = DjlShapes.shape(layer.weight());
        return new WinogradScript(
                new WinogradScript.LayerSizes(size.size(0), weight.size(1), weight.size(0),
                        size.size(2) / Winograd.TILE_SIZE, size.size(3) / Winograd.TILE_SIZE),
                layer.kernelTransform() != null);
    }

    /// The transform of kernels rotated by 180°.
    private static Tensor flipped(Tensor map) {
        float[] flipped = new float[map.data().length];
        for (int i = 0; i < flipped.length; i++) flipped[i] = map.data()[i / 9 * 9 + 8 - i % 9];
        return new Tensor(map.shape(), flipped);
    }

    /// TorchScript of Winograd's convolution and its gradients: input x (B, Ci, H, W), output or its gradient
    /// y (B, Co, H, W), weight w, input transform b, filter transform k, output transform a, and kernel transform m.
    /// Kernels are transformed in chunks of output channels: all at once would allocate four times the weights in every
    /// call, which costs more than the arithmetic.
    /// @param hasTransform whether the functions take m
    record WinogradScript(LayerSizes sizes, boolean hasTransform) {
        /// Samples, channels and tiles.
        record LayerSizes(long batch, long inputChannels, long outputChannels, long tileRows, long tileColumns) {
            long tiles() {
                return batch * tileRows * tileColumns;
            }
        }

        /// Elements of a chunk of transformed kernels.
        private static final long MAX_CHUNK_ELEMENTS = 1L << 21;

        /// Computes y from x, w, b, k, a.
        String[] forward() {
            List<String> body = kernels("k");
            body.add(points("x", sizes.inputChannels));
            List<String> parts = new ArrayList<>();
            for (long from = 0; from < sizes.outputChannels; from += chunkChannels()) {
                parts.add("t" + from);
                body.add("t" + from + " = torch.reshape(" + tiles("torch.bmm(" + points(from) + ", v)") + ", [16, "
                        + chunkChannels() + ", -1])");
            }
            body.add(pixels("torch.cat([" + String.join(", ", parts) + "], 1)", sizes.outputChannels));
            return body.toArray(String[]::new);
        }

        /// The gradient with respect to x, from y, w, b, k (of rotated kernels), a.
        String[] inputGradient() {
            List<String> body = kernels("k");
            body.add(points("y", sizes.outputChannels));
            for (long from = 0; from < sizes.outputChannels; from += chunkChannels()) {
                String factors = "torch.transpose(" + points(from) + ", 1, 2), " + slice("v", 1, from);
                body.add(from == 0 ? "z = torch.bmm(" + factors + ")" : "z = torch.baddbmm_(z, " + factors + ")");
            }
            body.add(pixels(tiles("z"), sizes.inputChannels));
            return body.toArray(String[]::new);
        }

        /// The gradient (9, 9) with respect to the kernel transform, from x, y, w, b, k, a.
        String[] transformGradient() {
            List<String> body = new ArrayList<>(List.of("p = torch.reshape(w, [-1, 9])",
                    points("x", sizes.inputChannels), "t = torch.transpose(v, 1, 2)"));
            body.add("c = torch.permute(torch.reshape(y, "
                    + List.of(sizes.batch, sizes.outputChannels, sizes.tileRows, 4, sizes.tileColumns, 4)
                    + "), [3, 5, 1, 0, 2, 4])");
            body.add("d = torch.reshape(torch.mm(torch.reshape(a, [36, 16]), torch.reshape(c, [16, -1])), "
                    + List.of(Winograd.POINTS, sizes.outputChannels, sizes.tiles()) + ")");
            for (long from = 0; from < sizes.outputChannels; from += chunkChannels()) {
                String products = "torch.reshape(torch.bmm(" + slice("d", 1, from) + ", t), [36, -1])";
                // Transposed, the product takes twice the time.
                String part = "torch.mm(torch.t(" + rows(from) + "), torch.t(" + products + "))";
                body.add(from == 0 ? "s = " + part : "s = torch.add(s, " + part + ")");
            }
            body.add("return torch.mm(s, k)");
            return body.toArray(String[]::new);
        }

        private List<String> kernels(String map) {
            return new ArrayList<>(List.of("p = torch.reshape(w, [-1, 9])",
                    hasTransform ? "g = torch.add(" + map + ", torch.mm(" + map + ", torch.t(m)))" : "g = " + map));
        }

        /// The transformed input v (36, C, tiles).
        private String points(String images, long channels) {
            String single = "torch.reshape(" + images + ", " + List.of(sizes.batch * channels, 1,
                    sizes.tileRows * Winograd.TILE_SIZE, sizes.tileColumns * Winograd.TILE_SIZE) + ")";
            String patches = "torch.reshape(torch.conv2d(" + single + ", b, None, [4, 4], [1, 1], [1, 1], 1), "
                    + List.of(sizes.batch, channels, Winograd.POINTS, sizes.tileRows * sizes.tileColumns) + ")";
            return "v = torch.reshape(torch.permute(" + patches + ", [2, 1, 0, 3]), "
                    + List.of(Winograd.POINTS, channels, sizes.tiles()) + ")";
        }

        /// A chunk of transformed kernels, (36, n, Ci).
        private String points(long from) {
            return "torch.reshape(torch.mm(g, torch.t(" + rows(from) + ")), "
                    + List.of(Winograd.POINTS, chunkChannels(), sizes.inputChannels) + ")";
        }

        private String rows(long from) {
            return "torch.slice(p, 0, " + from * sizes.inputChannels + ", "
                    + (from + chunkChannels()) * sizes.inputChannels + ", 1)";
        }

        private String slice(String name, int axis, long from) {
            return "torch.slice(" + name + ", " + axis + ", " + from + ", " + (from + chunkChannels()) + ", 1)";
        }

        /// The output transform of products (36, C, tiles), to tiles of 16 pixels.
        private static String tiles(String products) {
            return "torch.mm(torch.t(torch.reshape(a, [36, 16])), torch.reshape(" + products + ", [36, -1]))";
        }

        /// Tiles as images.
        private String pixels(String tiles, long channels) {
            return "return torch.reshape(torch.permute(torch.reshape(" + tiles + ", "
                    + List.of(4, 4, channels, sizes.batch, sizes.tileRows, sizes.tileColumns)
                    + "), [3, 2, 4, 0, 5, 1]), "
                    + List.of(sizes.batch, channels, sizes.tileRows * Winograd.TILE_SIZE,
                            sizes.tileColumns * Winograd.TILE_SIZE)
                    + ")";
        }

        private long chunkChannels() {
            long step = sizes.outputChannels;
            while (step % 2 == 0 && Winograd.POINTS * step * sizes.inputChannels > MAX_CHUNK_ELEMENTS) step /= 2;
            return step;
        }
    }
}
