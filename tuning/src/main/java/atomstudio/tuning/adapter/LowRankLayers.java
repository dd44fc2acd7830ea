package atomstudio.tuning.adapter;

import static atomstudio.tuning.adapter.TrainableAdapter.DOES_NOT_FIT;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.interop.AdapterKind;
import atomstudio.tuning.method.GloraPattern;
import atomstudio.tuning.method.GloraStructure;
import atomstudio.tuning.method.GloraTerms;
import atomstudio.tuning.method.Lokr;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.Vera;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/// Layers of low-rank kinds as parameters of their methods.
record LowRankLayers(TrainedLayers layers) {
    /// LoRA and LoCon.
    MethodSettings products() {
        layers.setScale(commonScale(AdapterKind.DOWN));
        putProducts();
        boolean hasKernels = layers.layers().values().stream().anyMatch(layer -> layer.kernelSize() > 1);
        return layers.ranked(hasKernels ? MethodName.LOCON : MethodName.LORA);
    }

    /// The factors A and B of every layer.
    private void putProducts() {
        layers.layers().forEach((name, layer) -> {
            Tensor down = layers.delta(name).values().get("down"), up = layers.delta(name).values().get("up");
            int rank = Math.toIntExact(down.shape().size(0));
            long outputs = layer.weightShape().size(0);
            if (up.shape().size(0) != outputs)
                throw new IllegalArgumentException(DOES_NOT_FIT + name + " is a product of " + up.shape() + " and "
                        + down.shape() + ", which is reshaped to the weight " + layer.weightShape());
            layers.ranks().put(name, rank);
            layers.put(name, "A", down.reshape(layer.weightShape().with(0, rank)));
            layers.put(name, "B", up.scaled(1 / layers.scale())
                    .reshape(layer.weightShape().rank() == 4 ? Shape.of(outputs, rank, 1, 1)
                            : Shape.of(outputs, rank)));
        });
    }

    /// DoRA of LoRA; the norms are those of outputs.
    MethodSettings decomposed() {
        layers.setScale(commonScale(AdapterKind.DOWN));
        putProducts();
        layers.layers().forEach((name, layer) -> {
            Tensor magnitude = layers.delta(name).values().get("magnitude");
            Tensor stored = layers.tensors(name).get(AdapterKind.MAGNITUDE);
            boolean isOfInputs = stored != null && stored.shape().rank() > 1
                    && stored.shape().elements() != stored.shape().size(0);
            if (isOfInputs)
                throw new IllegalArgumentException(
                        DOES_NOT_FIT + name + " has a norm for every input, method dora one for every output");
            layers.put(name, "g", magnitude.reshape(Shape.of(layer.weightShape().size(0))));
        });
        return layers.ranked(MethodName.DORA);
    }

    /// LoHa.
    MethodSettings hadamard() {
        layers.setScale(commonScale("hada_w1_b"));
        layers.layers().keySet().forEach(name -> {
            layers.delta(name)
                    .values()
                    .forEach((parameter, value) -> layers.put(name, parameter,
                            parameter.equals("w2a") ? value.scaled(1 / layers.scale()) : value));
            layers.ranks().put(name, Math.toIntExact(layers.values().get(name + ".w1b").shape().size(0)));
        });
        return layers.ranked(MethodName.LOHA);
    }

    /// LoKr. A first factor of two matrices is multiplied out. A whole second factor is a product with the identity, of
    /// as large a rank as its smaller side.
    MethodSettings kronecker() {
        layers.setScale(commonScale("lokr_w2_b"));
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
        return layers.ranked(MethodName.LOKR).with(MethodSetting.FACTOR, Long.toString(kroneckerFactor()));
    }

    /// The factor that gives all layers their w1; if there is none, the shapes show it.
    private long kroneckerFactor() {
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

    /// GLoRA of LyCORIS. The scale becomes part of the factors.
    MethodSettings generalized() {
        layers.layers().keySet().forEach(name -> {
            layers.delta(name).values().forEach((factor, value) -> layers.put(name, factor, value));
            layers.ranks().put(name, Math.toIntExact(layers.values().get(name + ".a2").shape().size(0)));
        });
        return layers.ranked(MethodName.GLORA);
    }

    /// GLoRA of peft.
    MethodSettings gloraTerms() {
        Map<String, GloraStructure> structures = new TreeMap<>();
        Map<String, String> productRanks = new TreeMap<>();
        layers.layers().forEach((name, layer) -> {
            GloraTerms terms = (GloraTerms) layers.delta(name).adaptation();
            GloraStructure structure = terms.structures().entries().getFirst().structure().on(layer);
            structures.put(name, structure);
            if (structure.forms().contains(GloraStructure.Form.LOW_RANK))
                productRanks.put(name, Integer.toString(terms.rank()));
            Map<String, Tensor> delta = layers.delta(name).values();
            terms.parameterShapes(layer).keySet().forEach(each -> layers.put(name, each, delta.get(each)));
        });
        Map<MethodSetting, String> settings = layers.settings(MethodSetting.STRUCTURE, pattern(structures).toString());
        if (!productRanks.isEmpty()) settings.put(MethodSetting.RANK, TrainedLayers.only(productRanks, "ranks"));
        return new MethodSettings(MethodName.GLORA_TERMS, settings);
    }

    /// One structure if all layers have it, up to the terms that belong to a bias.
    private GloraPattern pattern(Map<String, GloraStructure> structures) {
        GloraStructure largest = layers.layers()
                .values()
                .stream()
                .filter(Layer::hasBias)
                .findFirst()
                .map(layer -> structures.get(layer.name()))
                .orElse(structures.values().iterator().next());
        boolean isSame = layers.layers()
                .values()
                .stream()
                .allMatch(layer -> largest.on(layer).equals(structures.get(layer.name())));
        return isSame ? GloraPattern.ofAll(largest) : GloraPattern.of(structures);
    }

    /// VeRA; the layers' parts of the shared matrices are stored.
    MethodSettings vera() {
        Map<String, String> allRanks = new TreeMap<>();
        layers.layers().forEach((name, layer) -> {
            Tensor d = layers.tensors(name).get(AdapterKind.VERA_LAMBDA_D);
            int rank = d.data().length;
            long outputs = layer.weightShape().size(0);
            allRanks.put(name, Integer.toString(rank));
            layers.put(name, "A", leading(layers.tensors(name).get(AdapterKind.VERA_A), rank, layer.fanIn()));
            layers.put(name, "B", leading(layers.tensors(name).get(AdapterKind.VERA_B), outputs, rank));
            layers.put(name, "d", d.reshape(Shape.of(rank)));
            layers.put(name, "b", layers.tensors(name).get(AdapterKind.VERA_LAMBDA_B).reshape(Shape.of(outputs)));
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

    /// α/r, if all layers have the same; else 1, and the scale is part of the parameters. Layers without the tensor
    /// that shows the rank have none.
    private double commonScale(String rankedTensor) {
        ToDoubleFunction<Map<String, Tensor>> scaleOf = tensors -> {
            Tensor alpha = tensors.get(AdapterKind.ALPHA), ranked = tensors.get(rankedTensor);
            return alpha == null || ranked == null ? 1 : alpha.data()[0] / ranked.shape().size(0);
        };
        Set<Double> scales = layers.layers()
                .keySet()
                .stream()
                .map(name -> scaleOf.applyAsDouble(layers.tensors(name)))
                .collect(Collectors.toSet());
        double common = scales.size() == 1 ? scales.iterator().next() : 1;
        return common > 0 ? common : 1;
    }
}
