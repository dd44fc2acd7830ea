package atomstudio.tuning.interop;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adaptation.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.Dora;
import atomstudio.tuning.method.Lora;
import atomstudio.tuning.method.LoraFa;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.Pissa;
import atomstudio.tuning.method.ScaledDelta;
import atomstudio.tuning.method.TuningMethod;
import atomstudio.tuning.method.Vera;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// LoRA and LoCon: W + up · down, reshaped to the weight, so that rows and columns of the product may differ from
/// outputs and inputs.
record LowRankProduct(int rank, long rows, long columns) implements Adaptation {
    static final String MID = "lora_mid.weight";
    static final String VERA_D = "vera_lambda_d";
    static final String VERA_B_SCALE = "vera_lambda_b";
    /// Of all layers.
    static final String VERA_A = "vera_A";
    static final String VERA_B = "vera_B";

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
            case LoraFa loraFa -> write(layer, loraFa.lora(), values);
            case Pissa pissa -> writePissa(pissa, values);
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

    /// peft's VeRA: Λ_b · B · Λ_d · A with the leading rows and columns of the shared B and A.
    static LayerDelta readVera(Layer layer, LayerTensors tensors) {
        for (String shared : List.of(VERA_A, VERA_B))
            if (!tensors.has(shared))
                throw new IllegalArgumentException("has no " + shared
                        + ": the adapter was saved without its projections; save it with save_projection=True");
        Tensor a = tensors.get(VERA_A), b = tensors.get(VERA_B), lambdaD = tensors.get(VERA_D);
        int rank = Math.toIntExact(lambdaD.shape().elements());
        int outputs = Math.toIntExact(layer.weightShape().size(0)), inputs = Math.toIntExact(layer.fanIn());
        Tensor lambdaB = tensors.get(VERA_B_SCALE, layer.biasShape());
        if (rank < 1) throw new IllegalArgumentException(VERA_D + ": expected at least one element, found none");
        if (!layer.isProjection() || a.shape().rank() != 2 || b.shape().rank() != 2 || a.shape().size(0) < rank
                || a.shape().size(1) < inputs || b.shape().size(0) < outputs || b.shape().size(1) < rank)
            throw new IllegalArgumentException("expected projections of at least (" + rank + ", " + inputs + ") and ("
                    + outputs + ", " + rank + "), found " + a.shape() + " and " + b.shape());
        int aColumns = Math.toIntExact(a.shape().size(1)), bColumns = Math.toIntExact(b.shape().size(1));
        Tensor down = Tensor.generate(Shape.of(rank, inputs),
                i -> lambdaD.data()[i / inputs] * a.data()[i / inputs * aColumns + i % inputs]);
        Tensor up = Tensor.generate(Shape.of(outputs, rank),
                i -> lambdaB.data()[i / rank] * b.data()[i / rank * bColumns + i % rank]);
        return new LayerDelta(new LowRankProduct(rank, outputs, inputs), Map.of("down", down, "up", up));
    }

    /// Of linear layers, as peft has it. The shared matrices are written once per file.
    static Map<String, Tensor> writeVera(Layer layer, TuningMethod method, AdapterParameters<Tensor> values) {
        return method instanceof Vera && layer.kind() == Layer.Kind.LINEAR
                ? Map.of(VERA_D, values.get("d"), VERA_B_SCALE, values.get("b"))
                : Map.of();
    }

    /// B0 · ΔA + ΔB · A as one product of rank 2r, like peft's conversion of PiSSA to LoRA.
    private static Map<String, Tensor> writePissa(Pissa pissa, AdapterParameters<Tensor> values) {
        Tensor a = values.get("A0").zip(values.get("dA"), Double::sum);
        return Map.of(AdapterKind.DOWN, Tensor.concatenate(values.get("dA"), a), AdapterKind.UP,
                Tensor.concatenateColumns(List.of(values.get("B0"), values.get("dB"))), AdapterKind.ALPHA,
                AdapterKind.alpha(2 * pissa.alpha()));
    }

    /// LoRA and LoCon.
    static MethodSettings trained(TrainedLayers layers) {
        layers.setCommonScale(AdapterKind.DOWN);
        putProducts(layers);
        boolean hasKernels = layers.layers().values().stream().anyMatch(layer -> layer.kernelSize() > 1);
        return layers.ranked(hasKernels ? MethodName.LOCON : MethodName.LORA);
    }

    /// The factors A and B of every layer.
    private static void putProducts(TrainedLayers layers) {
        layers.layers().forEach((name, layer) -> {
            Tensor down = layers.delta(name).values().get("down"), up = layers.delta(name).values().get("up");
            int rank = Math.toIntExact(down.shape().size(0));
            long outputs = layer.weightShape().size(0);
            if (up.shape().size(0) != outputs)
                throw new IllegalArgumentException(
                        TrainedLayers.DOES_NOT_FIT + name + " is a product of " + up.shape() + " and "
                                + down.shape() + ", which is reshaped to the weight " + layer.weightShape());
            layers.ranks().put(name, rank);
            layers.put(name, "A", down.reshape(layer.weightShape().with(0, rank)));
            layers.put(name, "B", up.scaled(1 / layers.scale())
                    .reshape(layer.weightShape().rank() == 4 ? Shape.of(outputs, rank, 1, 1)
                            : Shape.of(outputs, rank)));
        });
    }

    /// DoRA of LoRA; the norms are those of outputs.
    static MethodSettings trainedDora(TrainedLayers layers) {
        layers.setCommonScale(AdapterKind.DOWN);
        putProducts(layers);
        layers.layers().forEach((name, layer) -> {
            Tensor magnitude = layers.delta(name).values().get("magnitude");
            Tensor stored = layers.tensors(name).get(AdapterKind.MAGNITUDE);
            boolean isOfInputs = stored != null && stored.shape().rank() > 1
                    && stored.shape().elements() != stored.shape().size(0);
            if (isOfInputs)
                throw new IllegalArgumentException(
                        TrainedLayers.DOES_NOT_FIT + name
                                + " has a norm for every input, method dora one for every output");
            layers.put(name, "g", magnitude.reshape(Shape.of(layer.weightShape().size(0))));
        });
        return layers.ranked(MethodName.DORA);
    }

    /// VeRA; the layers' parts of the shared matrices are stored.
    static MethodSettings trainedVera(TrainedLayers layers) {
        Map<String, String> allRanks = new TreeMap<>();
        layers.layers().forEach((name, layer) -> {
            Tensor d = layers.tensors(name).get(VERA_D);
            int rank = d.data().length;
            long outputs = layer.weightShape().size(0);
            allRanks.put(name, Integer.toString(rank));
            layers.put(name, "A", leading(layers.tensors(name).get(VERA_A), rank, layer.fanIn()));
            layers.put(name, "B", leading(layers.tensors(name).get(VERA_B), outputs, rank));
            layers.put(name, "d", d.reshape(Shape.of(rank)));
            layers.put(name, "b", layers.tensors(name).get(VERA_B_SCALE).reshape(Shape.of(outputs)));
        });
        Map<MethodSetting, String> settings = layers.settings(MethodSetting.RANK,
                TrainedLayers.only(allRanks, "ranks"));
        settings.put(MethodSetting.PROJECTION_SEED, Vera.STORED);
        return new MethodSettings(MethodName.VERA, settings);
    }

    private static Tensor leading(Tensor matrix, long rows, long columns) {
        int width = Math.toIntExact(matrix.shape().size(1)), used = Math.toIntExact(columns);
        return Tensor.generate(Shape.of(rows, columns), i -> matrix.data()[i / used * width + i % used]);
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
