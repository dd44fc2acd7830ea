package atomstudio.tuning.interop;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.Dora;
import atomstudio.tuning.method.Lora;
import atomstudio.tuning.method.ScaledDelta;
import atomstudio.tuning.method.TuningMethod;
import java.util.Map;

/// LoRA and LoCon: W + up · down, reshaped to the weight, so that rows and columns of the product may differ from
/// outputs and inputs.
record LowRankProduct(int rank, long rows, long columns) implements Adaptation {
    static final String MID = "lora_mid.weight";

    static LayerDelta read(Layer layer, LayerTensors tensors) {
        Tensor down = tensors.get(AdapterKind.DOWN);
        Tensor up = tensors.get(AdapterKind.UP);
        long rank = down.shape().size(0);
        if (tensors.has(MID)) down = FactorMath.contractCore(tensors.get(MID), down);
        long rows = up.shape().elements() / Math.max(1, rank);
        long columns = down.shape().elements() / Math.max(1, rank);
        if (rank == 0 || rows * rank != up.shape().elements() || rows * columns != layer.weightShape().elements()) {
            throw new IllegalArgumentException("expected two factors of " + layer.weightShape() + ", found "
                    + tensors.get(AdapterKind.DOWN).shape() + " and " + up.shape());
        }
        LowRankProduct adaptation = new LowRankProduct(Math.toIntExact(rank), rows, columns);
        Tensor scaledUp = up.reshape(Shape.of(rows, rank)).scaled(tensors.scale(rank));
        return new LayerDelta(adaptation, Map.of("down", down.reshape(Shape.of(rank, columns)), "up", scaledUp));
    }

    static Map<String, Tensor> write(Layer layer, TuningMethod method, AdapterParameters<Tensor> values) {
        return switch (method) {
            case Lora lora ->
                    Map.of(AdapterKind.DOWN, values.get("A"), AdapterKind.UP, values.get("B"), AdapterKind.ALPHA,
                            AdapterKind.alpha(lora.alpha()));
            case Dora dora ->
                    Map.of(AdapterKind.DOWN, values.get("A"), AdapterKind.UP, values.get("B"), AdapterKind.ALPHA,
                            AdapterKind.alpha(dora.alpha()), AdapterKind.MAGNITUDE, values.get("g")
                                    .reshape(layer.weightShape().rank() == 4
                                            ? Shape.of(layer.weightShape().size(0), 1, 1, 1)
                                            : Shape.of(layer.weightShape().size(0), 1)));
            default -> Map.of();
        };
    }

    @Override
    public Map<String, Shape> parameterShapes(Layer layer) {
        return Map.of("down", Shape.of(rank, columns), "up", Shape.of(rows, rank));
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T delta = ops.matmul(ops.multiply(parameters.get("up"), adapterWeight), parameters.get("down"));
        return ScaledDelta.addToWeight(ops, layer, base, delta);
    }
}
