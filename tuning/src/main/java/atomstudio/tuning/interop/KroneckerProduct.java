package atomstudio.tuning.interop;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adaptation.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.Lokr;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ScaledDelta;
import atomstudio.tuning.method.TuningMethod;
import java.util.HashMap;
import java.util.Map;

/// LoKr: W + w1 ⊗ w2 with w1 (outputs, inputs) and w2 (blockOutputs, blockColumns); w2's columns include the kernel.
record KroneckerProduct(long outputs, long inputs, long blockOutputs, long blockColumns) implements Adaptation {
    /// Each factor is a matrix or a product of two; α applies if one is a product.
    static LayerDelta read(Layer layer, LayerTensors tensors) {
        long rank = 0;
        Tensor w1, w2;
        if (tensors.has("lokr_w1")) {
            w1 = tensors.get("lokr_w1");
        } else {
            rank = tensors.get("lokr_w1_b").shape().size(0);
            w1 = FactorMath.matmul(tensors.get("lokr_w1_a"), tensors.get("lokr_w1_b"));
        }
        if (tensors.has("lokr_w2")) {
            w2 = tensors.get("lokr_w2");
        } else {
            Tensor b = tensors.get("lokr_w2_b");
            rank = b.shape().size(0);
            w2 = tensors.has("lokr_t2")
                    ? FactorMath.matmul(FactorMath.transpose(tensors.get("lokr_w2_a")),
                            FactorMath.contractCore(tensors.get("lokr_t2"), b))
                    : FactorMath.matmul(tensors.get("lokr_w2_a"), b);
        }
        KroneckerProduct adaptation = of(layer, w1.shape(), w2.shape());
        Tensor scaledW1 = w1.reshape(adaptation.w1Shape()).scaled(rank == 0 ? 1 : tensors.scale(rank));
        return new LayerDelta(adaptation, Map.of("w1", scaledW1, "w2", w2.reshape(adaptation.w2Shape())));
    }

    /// The second factor is whole where LyCORIS and peft would make it whole for this rank; then no α applies to it.
    static Map<String, Tensor> write(Layer layer, TuningMethod method, AdapterParameters<Tensor> values) {
        if (!(method instanceof Lokr lokr)) return Map.of();
        Tensor w1 = values.get("w1"), w2a = values.get("w2a"), w2b = values.get("w2b");
        long blockInputs = layer.weightShape().size(1) / w1.shape().size(1);
        boolean isLowRank = 2L * lokr.rank() < Math.max(w2a.shape().size(0), blockInputs);
        if (isLowRank)
            return Map.of("lokr_w1", w1, "lokr_w2_a", w2a, "lokr_w2_b", w2b, AdapterKind.ALPHA,
                    AdapterKind.alpha(lokr.alpha()));
        Shape kernels = layer.weightShape().with(0, w2a.shape().size(0)).with(1, blockInputs);
        return Map.of("lokr_w1", w1.scaled(lokr.alpha() / lokr.rank()), "lokr_w2",
                FactorMath.matmul(w2a, w2b).reshape(kernels), AdapterKind.ALPHA, AdapterKind.alpha(lokr.rank()));
    }

    /// LoKr. A first factor of two matrices is multiplied out. A whole second factor is a product with the identity, of
    /// as large a rank as its smaller side.
    static MethodSettings trained(TrainedLayers layers) {
        layers.setCommonScale("lokr_w2_b");
        layers.layers().forEach((name, layer) -> {
            Map<String, Tensor> tensors = layers.tensors(name), delta = layers.delta(name).values();
            layers.put(name, "w1", delta.get("w1").scaled(1 / layers.scale()));
            Tensor w2 = delta.get("w2"), a = tensors.get("lokr_w2_a"), b = tensors.get("lokr_w2_b");
            long rows = w2.shape().size(0), columns = w2.shape().size(1);
            if (a != null && b != null && !tensors.containsKey("lokr_t2")) {
                layers.ranks().put(name, Math.toIntExact(b.shape().size(0)));
                layers.put(name, "w2a", a.reshape(Shape.of(rows, layers.ranks().get(name))));
                layers.put(name, "w2b", b.reshape(Shape.of(layers.ranks().get(name), columns)));
            } else {
                int rank = Math.toIntExact(Math.min(rows, columns));
                Tensor identity = Tensor.generate(Shape.of(rank, rank), i -> i / rank == i % rank ? 1 : 0);
                layers.ranks().put(name, rank);
                layers.put(name, "w2a", rows == rank ? identity : w2);
                layers.put(name, "w2b", rows == rank ? w2 : identity);
            }
        });
        return layers.ranked(MethodName.LOKR).with(MethodSetting.FACTOR, Long.toString(factor(layers)));
    }

    /// The factor that gives all layers their w1; if there is none, the shapes show it.
    private static long factor(TrainedLayers layers) {
        Map<Layer, Shape> shapes = new HashMap<>();
        layers.layers().forEach((name, layer) -> shapes.put(layer, layers.values().get(name + ".w1").shape()));
        boolean isUnlimited = shapes.entrySet()
                .stream()
                .allMatch(each -> Lokr.w1Shape(each.getKey(), Lokr.NO_FACTOR).equals(each.getValue()));
        return isUnlimited ? Lokr.NO_FACTOR
                : shapes.values()
                        .stream()
                        .mapToLong(shape -> Math.max(shape.size(0), shape.size(1)))
                        .max()
                        .orElseThrow();
    }

    private static KroneckerProduct of(Layer layer, Shape w1, Shape w2) {
        if (w1.rank() < 2 || w1.size(0) < 1 || w1.size(1) < 1)
            throw new IllegalArgumentException("lokr_w1: expected a matrix, found " + w1);
        long outputs = w1.size(0), inputs = w1.size(1), kernel = layer.kernelSize() * layer.kernelSize();
        if (w1.elements() != outputs * inputs || layer.weightShape().size(0) % outputs != 0
                || layer.weightShape().size(1) % inputs != 0
                || w1.elements() * w2.elements() != layer.weightShape().elements()) {
            throw new IllegalArgumentException(
                    "expected factors of " + layer.weightShape() + ", found " + w1 + " and " + w2);
        }
        return new KroneckerProduct(outputs, inputs, layer.weightShape().size(0) / outputs,
                layer.weightShape().size(1) / inputs * kernel);
    }

    private Shape w1Shape() {
        return Shape.of(outputs, inputs);
    }

    private Shape w2Shape() {
        return Shape.of(blockOutputs, blockColumns);
    }

    @Override
    public Map<String, Shape> parameterShapes(Layer layer) {
        return Map.of("w1", w1Shape(), "w2", w2Shape());
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T w1 = ops.multiply(parameters.get("w1"), adapterWeight);
        return ScaledDelta.addToWeight(ops, layer, base, Lokr.kronecker(ops, w1, parameters.get("w2")));
    }
}
