package atomstudio.tuning.interop;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adaptation.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.Boft;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.Oft;
import atomstudio.tuning.method.RescaledRotation;
import atomstudio.tuning.method.ScaledDelta;
import atomstudio.tuning.method.TuningMethod;
import atomstudio.tuning.setting.Setting;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// OFT and BOFT: the channels of one side of W are multiplied by block-diagonal matrices in one or more stages, then
/// the outputs by a scale. Stage i has blocks of b channels: two runs of b/2 that are 2ⁱ·b/2 channels apart.
/// Source: Qiu et al. 2023, "Controlling Text-to-Image Diffusion by Orthogonal Finetuning"; Liu et al. 2024,
/// "Parameter-Efficient Orthogonal Finetuning via Butterfly Factorization", section 4; the modules of LyCORIS
/// 4.1 and peft 0.21.
record Rotation(Oft.Side side, int stages, int blocks, int blockSize, boolean isScaled) implements Adaptation {
    static final String LYCORIS_SCALE = "rescale";
    static final String PEFT_OFT = "oft_R.weight";
    /// Of OneTrainer: the elements are divided by √(their number in a block).
    static final String PEFT_OFT_SCALED = "oft_R.scaled_oft";
    /// Of this program, for peft's configuration: the terms of the Cayley-Neumann series, or 0 for the exact transform.
    static final String PEFT_OFT_TERMS = "oft_R.terms";
    /// Of this program, for peft's configuration: the limit of ‖Q‖ in constrained OFT.
    static final String PEFT_OFT_LIMIT = "oft_R.limit";
    static final String PEFT_BOFT = "boft_R";
    static final String PEFT_BOFT_SCALE = "boft_s";
    /// peft's and OneTrainer's default.
    static final int DEFAULT_TERMS = 5;
    /// Of a rotation that is trained on, relative to what it changes.
    private static final double MAX_ERROR = 1e-3;
    /// Of an element of a matrix in float32.
    private static final double ROUNDING = 1e-7;

    /// LyCORIS' and sd-scripts' OFT, (n, b, b), and LyCORIS' BOFT, (m, n, b, b); α limits ‖Q‖ to α · outputs.
    static LayerDelta readLycoris(Layer layer, LayerTensors tensors) {
        Tensor stored = tensors.get(AdapterKind.LYCORIS_BLOCKS);
        boolean isButterfly = stored.shape().rank() == 4;
        SquareBlocks blocks = SquareBlocks.of(AdapterKind.LYCORIS_BLOCKS, stored).minusTranspose();
        double limit = tensors.number(AdapterKind.ALPHA, 0) * layer.weightShape().size(0);
        double norm = Math.sqrt(blocks.toTensor(stored.shape()).squaredNorm()) + 1e-8;
        if (limit > 0 && norm > limit) blocks = blocks.scaled(limit / norm);
        SquareBlocks matrices = isButterfly ? blocks.cayley().withHalvesOneAfterTheOther() : blocks.scaled(-1).cayley();
        return of(layer, Oft.Side.OUTPUT, matrices, isButterfly ? stored.shape().size(0) : 1, tensors, LYCORIS_SCALE);
    }

    /// peft's and OneTrainer's OFT: the elements above Q's diagonal, (n, b(b−1)/2), or (1, b(b−1)/2) for all blocks.
    static LayerDelta readPeft(Layer layer, LayerTensors tensors) {
        Tensor elements = tensors.get(PEFT_OFT);
        if (elements.shape().rank() == 2 && tensors.has(PEFT_OFT_SCALED))
            elements = elements.scaled(1 / Math.sqrt(elements.shape().size(1)));
        SquareBlocks q = SquareBlocks.skewSymmetric(PEFT_OFT, elements);
        double limit = tensors.number(PEFT_OFT_LIMIT, Double.POSITIVE_INFINITY) / Math.sqrt(q.count());
        q = q.withNormsUpTo(limit);
        int terms = (int) tensors.number(PEFT_OFT_TERMS, DEFAULT_TERMS);
        SquareBlocks matrices = terms == 0 ? q.scaled(-1).cayley() : q.cayleyNeumann(terms);
        if (matrices.count() == 1 && layer.fanIn() % matrices.side() == 0)
            matrices = matrices.repeated(Math.toIntExact(layer.fanIn() / matrices.side()));
        return of(layer, Oft.Side.INPUT, matrices, 1, tensors, "");
    }

    /// peft's BOFT, (m, n, b, b).
    static LayerDelta readPeftButterfly(Layer layer, LayerTensors tensors) {
        Tensor stored = tensors.get(PEFT_BOFT);
        SquareBlocks matrices = SquareBlocks.of(PEFT_BOFT, stored).minusTranspose().scaled(-0.5).cayley();
        return of(layer, Oft.Side.INPUT, matrices, stored.shape().size(0), tensors, PEFT_BOFT_SCALE);
    }

    static MethodSettings trainedButterfly(TrainedLayers layers) {
        Map<String, Trained> rotations = rotations(layers);
        Map<MethodSetting, String> settings = settings(layers, rotations);
        Map<String, String> factors = new TreeMap<>();
        rotations.forEach((name, rotation) -> {
            factors.put(name, Long.toString(rotation.q().shape().size(0)));
            layers.put(name, "Q", rotation.q());
        });
        settings.put(MethodSetting.BUTTERFLY_FACTORS, TrainedLayers.only(factors, "butterfly factors"));
        return new MethodSettings(MethodName.BOFT, settings);
    }

    static MethodSettings trained(TrainedLayers layers) {
        Map<String, Trained> rotations = rotations(layers);
        Map<String, String> sides = new TreeMap<>();
        rotations.forEach((name, rotation) -> {
            Shape q = rotation.q().shape();
            if (q.size(0) > 1)
                throw new IllegalArgumentException(
                        TrainedLayers.DOES_NOT_FIT + name + " has butterfly factors of the outputs, "
                                + "method boft has them of the inputs");
            sides.put(name, rotation.side().option());
            layers.put(name, "Q", rotation.q().reshape(Shape.of(q.size(1), q.size(2))));
        });
        Map<MethodSetting, String> settings = settings(layers, rotations);
        settings.put(MethodSetting.SIDE, TrainedLayers.only(sides, "sides"));
        return new MethodSettings(MethodName.OFT, settings);
    }

    /// The matrices themselves are inverted, since programs compute them from their parameters in several ways.
    private static Map<String, Trained> rotations(TrainedLayers layers) {
        Map<String, Trained> rotations = new TreeMap<>();
        layers.layers().keySet().forEach(name -> rotations.put(name, TrainedLayers.named(name, () -> {
            LayerDelta delta = layers.delta(name);
            return ((Rotation) delta.adaptation()).trained(delta.values());
        })));
        return rotations;
    }

    private static Map<MethodSetting, String> settings(TrainedLayers layers, Map<String, Trained> rotations) {
        Map<String, String> sizes = new TreeMap<>(), counts = new TreeMap<>();
        rotations.forEach((name, rotation) -> {
            sizes.put(name, Integer.toString(rotation.blockSize()));
            counts.put(name, "1/" + rotation.q().shape().size(1));
        });
        boolean hasOneSize = Set.copyOf(sizes.values()).size() == 1;
        Map<MethodSetting, String> settings = layers.settings(MethodSetting.BLOCK_SIZE,
                hasOneSize ? sizes.values().iterator().next()
                        : TrainedLayers.only(counts, "shares and sizes of blocks"));
        if (rotations.values().stream().anyMatch(rotation -> rotation.scale().isPresent())) {
            settings.put(MethodSetting.RESCALED, Setting.YES);
            layers.layers()
                    .forEach((name, layer) -> layers.put(name, RescaledRotation.SCALE,
                            rotations.get(name).scale().orElse(Tensor.filled(layer.biasShape(), 1))));
        }
        return settings;
    }

    /// A rotation as methods `oft` and `boft` train it: R = (I + Q)(I − Q)⁻¹ of each block, then a scale of each
    /// output.
    /// @param q elements above the diagonals of Q, (stages, blocks, b(b−1)/2)
    private record Trained(Oft.Side side, int blockSize, Tensor q, Optional<Tensor> scale) {}

    private Trained trained(Map<String, Tensor> values) {
        List<Tensor> q = IntStream.range(0, stages).mapToObj(i -> q(values.get("R" + i))).toList();
        Tensor all = Tensor.concatenate(q.toArray(Tensor[]::new));
        return new Trained(side, blockSize,
                all.reshape(Shape.of(stages, blocks, all.shape().size(1))),
                Optional.ofNullable(values.get("scale")));
    }

    /// Q of R = (I + Q)(I − Q)⁻¹, which is −(I + R)⁻¹(I − R), above the diagonals.
    /// @param rotations (n, b, b)
    /// @throws IllegalArgumentException if R is no rotation, as of a short Cayley-Neumann series of a large Q
    private static Tensor q(Tensor rotations) {
        SquareBlocks q = SquareBlocks.of("R", rotations).scaled(-1).cayley().scaled(-1).minusTranspose().scaled(0.5);
        Tensor again = q.cayley().toTensor(rotations.shape());
        double allowed = ROUNDING * ROUNDING * rotations.data().length;
        for (int i = 0; i < rotations.data().length; i++) {
            double identity = i / q.side() % q.side() == i % q.side() ? 1 : 0;
            allowed += Math.pow(MAX_ERROR * (rotations.data()[i] - identity), 2);
        }
        if (!(again.zip(rotations, (one, other) -> one - other).squaredNorm() <= allowed))
            throw new IllegalArgumentException("expected rotations, found matrices of a Cayley-Neumann series that is "
                    + "too short for them, which methods oft and boft do not have; train it with "
                    + "use_cayley_neumann=false or more terms");
        return q.aboveDiagonals();
    }

    /// OFT of the outputs: Q's elements above the diagonals, negated, since LyCORIS transposes the matrices.
    static Map<String, Tensor> writeLycoris(Layer layer, TuningMethod method, AdapterParameters<Tensor> values) {
        if (!(RescaledRotation.rotation(method) instanceof Oft oft) || oft.side() != Oft.Side.OUTPUT) return Map.of();
        SquareBlocks q = SquareBlocks.skewSymmetric("Q", values.get("Q")).scaled(-0.5);
        Map<String, Tensor> tensors = new HashMap<>(Map.of(AdapterKind.LYCORIS_BLOCKS,
                q.toTensor(Shape.of(q.count(), q.side(), q.side())), AdapterKind.ALPHA, AdapterKind.alpha(0)));
        long outputs = layer.weightShape().size(0);
        if (method instanceof RescaledRotation)
            tensors.put(LYCORIS_SCALE, values.get(RescaledRotation.SCALE)
                    .reshape(layer.weightShape().rank() == 4 ? Shape.of(outputs, 1, 1, 1) : Shape.of(outputs, 1)));
        return tensors;
    }

    /// OFT of the inputs. Q is negated, since peft's exact transform is (I − Q)(I + Q)⁻¹.
    static Map<String, Tensor> writePeft(Layer layer, TuningMethod method, AdapterParameters<Tensor> values) {
        if (!(method instanceof Oft oft) || oft.side() != Oft.Side.INPUT) return Map.of();
        return Map.of(PEFT_OFT, values.get("Q").scaled(-1));
    }

    /// peft's BOFT, with unit scales where none are trained. Q is negated, as its transform is that of OFT, of
    /// (R − Rᵀ)/2.
    static Map<String, Tensor> writePeftButterfly(Layer layer, TuningMethod method, AdapterParameters<Tensor> values) {
        if (!(RescaledRotation.rotation(method) instanceof Boft)) return Map.of();
        Tensor q = values.get("Q");
        long factors = q.shape().size(0), blocks = q.shape().size(1), outputs = layer.weightShape().size(0);
        SquareBlocks r = SquareBlocks.skewSymmetric("Q", q.reshape(Shape.of(factors * blocks, q.shape().size(2))))
                .scaled(-1);
        Tensor scale = method instanceof RescaledRotation ? values.get(RescaledRotation.SCALE)
                : Tensor.filled(layer.biasShape(), 1);
        return Map.of(PEFT_BOFT, r.toTensor(Shape.of(factors, blocks, r.side(), r.side())), PEFT_BOFT_SCALE,
                scale.reshape(layer.weightShape().rank() == 4 ? Shape.of(1, outputs) : Shape.of(outputs, 1)));
    }

    private static LayerDelta of(Layer layer, Oft.Side side, SquareBlocks matrices, long stages, LayerTensors tensors,
            String scaleName) {
        int blocks = Math.toIntExact(matrices.count() / Math.max(1, stages)), b = matrices.side();
        Rotation rotation = new Rotation(side, Math.toIntExact(stages), blocks, b, tensors.has(scaleName));
        long channels = rotation.channels(layer);
        long span = stages < 2 ? b : (long) b << stages - 1;
        if (!layer.isProjection() || (long) blocks * b != channels || stages > Integer.SIZE || channels % span != 0
                || stages > 1 && b % 2 != 0)
            throw new IllegalArgumentException("expected blocks of " + channels + " channels in " + stages
                    + (stages == 1 ? " stage" : " stages") + ", found " + blocks + " blocks of " + b);
        Map<String, Tensor> values = new HashMap<>();
        Shape shape = Shape.of(blocks, b, b);
        for (int i = 0; i < stages; i++)
            values.put("R" + i, matrices.part(i * blocks, blocks).toTensor(shape));
        if (rotation.isScaled) values.put("scale", tensors.get(scaleName, layer.biasShape()));
        return new LayerDelta(rotation, values);
    }

    private long channels(Layer layer) {
        return side == Oft.Side.INPUT ? layer.fanIn() : layer.weightShape().size(0);
    }

    @Override
    public Map<String, Shape> parameterShapes(Layer layer) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        for (int i = 0; i < stages; i++) shapes.put("R" + i, Shape.of(blocks, blockSize, blockSize));
        if (isScaled) shapes.put("scale", layer.biasShape());
        return shapes;
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        long outputs = layer.weightShape().size(0), fanIn = layer.fanIn();
        T rows = ops.reshape(base.weight(), Shape.of(outputs, fanIn));
        if (side == Oft.Side.INPUT) rows = ops.permute(rows, 1, 0);
        for (int i = 0; i < stages; i++) rows = Boft.factor(ops, i, rows, parameters.get("R" + i));
        if (side == Oft.Side.INPUT) rows = ops.permute(rows, 1, 0);
        if (isScaled) rows = ops.multiply(rows, ops.reshape(parameters.get("scale"), Shape.of(outputs, 1)));
        T weight = ops.reshape(rows, layer.weightShape());
        return new LayerWeights<>(ScaledDelta.interpolate(ops, base.weight(), weight, adapterWeight), base.bias());
    }
}
