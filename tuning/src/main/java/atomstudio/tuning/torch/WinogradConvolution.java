package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.ops.ConvGeometry;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Winograd;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// A frozen 3×3 convolution by Winograd's minimal filtering, with its gradients: by the input, and by the matrix that mixes its kernels.
/// A mixed kernel's points are the kernel's, mapped by G · (I + mixing)ᵀ instead of G: neither a new weight nor its gradient is ever made. PyTorch's
/// recording would keep the kernels' points, four times the weights, so the gradients are computed here.
/// @param layer weight (Co,Ci,3,3), and a mixing (9,9) or none; its bias is somebody else's
record WinogradConvolution(TorchKernels kernels, LayerWeights<NDArray> layer) implements Tape.CustomFunction {
    /// Tiles from which it pays here, found by measurement (docs/performance.md): kernels go to their points three times a step, in memory that is
    /// new each time.
    private static final long MIN_TILES = 64;

    /// Whether this is the way: as `Winograd` says, over whole tiles, on the processor.
    static boolean isFaster(NDArray x, LayerWeights<NDArray> layer, ConvGeometry geometry) {
        boolean shared = layer.kernelTransform() == null || layer.kernelTransform().getShape().dimension() == 2;
        return shared && !x.getDevice().isGpu() && isFaster(DjlShapes.shape(x), DjlShapes.shape(layer.weight()), geometry);
    }

    /// The same for an input (B,Ci,H,W) and a weight (Co,Ci,k,k).
    static boolean isFaster(Shape x, Shape weight, ConvGeometry geometry) {
        boolean whole = x.size(2) % Winograd.TILE_SIZE == 0 && x.size(3) % Winograd.TILE_SIZE == 0;
        return whole && Winograd.isFaster(x, weight, geometry) && x.size(0) * Winograd.tiles(x.size(2)) * Winograd.tiles(x.size(3)) >= MIN_TILES;
    }

    @Override public NDArray forward(NDArray x) {
        return runScript("forward", x, script(x).forward(), Winograd.filterTransform());
    }

    @Override public List<NDArray> savedTensors() {
        NDArray mixing = layer.kernelTransform();
        return mixing == null || !kernels.requiresGrad(mixing) ? List.of() : List.of(mixing);
    }

    @Override public Tape.FunctionGradients backward(NDArray x, NDArray gradient, boolean needsInputGradient) {
        NDArray input = needsInputGradient ? runScript("back", gradient, script(gradient).inputGradient(), flipped(Winograd.filterTransform())) : null;
        return new Tape.FunctionGradients(input, savedTensors().stream().map(mixing -> new Tape.TensorGradient(mixing, transformGradient(x, gradient))).toList());
    }

    private NDArray transformGradient(NDArray x, NDArray gradient) {
        NDArray[] inputs = {x, gradient, layer.weight(), kernels.constant(Winograd.inputTransform()), kernels.constant(Winograd.filterTransform()), kernels.constant(Winograd.tiles())};
        return kernels.script("winograd mixing " + script(x), new String[] {"x", "y", "w", "b", "k", "a"}, script(x).transformGradient(), inputs);
    }

    private NDArray runScript(String direction, NDArray images, String[] body, Tensor kernelMap) {
        String name = "winograd " + direction + " " + script(images), side = direction.equals("forward") ? "x" : "y";
        NDArray patches = kernels.constant(Winograd.inputTransform()), points = kernels.constant(kernelMap), tiles = kernels.constant(Winograd.tiles());
        NDArray mixing = layer.kernelTransform();
        if (mixing == null) return kernels.script(name, new String[] {side, "w", "b", "k", "a"}, body, images, layer.weight(), patches, points, tiles);
        return kernels.script(name, new String[] {side, "w", "b", "k", "a", "m"}, body, images, layer.weight(), patches, points, tiles, mixing);
    }

    private WinogradScript script(NDArray images) {
        Shape size = DjlShapes.shape(images), weight = DjlShapes.shape(layer.weight());
        return new WinogradScript(new WinogradScript.LayerSizes(size.size(0), weight.size(1), weight.size(0), size.size(2) / Winograd.TILE_SIZE, size.size(3) / Winograd.TILE_SIZE), layer.kernelTransform() != null);
    }

    /// The map of kernels that are turned by half a circle.
    private static Tensor flipped(Tensor map) {
        float[] flipped = new float[map.data().length];
        for (int i = 0; i < flipped.length; i++) flipped[i] = map.data()[i / 9 * 9 + 8 - i % 9];
        return new Tensor(map.shape(), flipped);
    }
}
