package atomstudio.tuning.interop;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adaptation.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.Glora;
import atomstudio.tuning.method.GloraPattern;
import atomstudio.tuning.method.GloraStructure;
import atomstudio.tuning.method.GloraTerms;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.TuningMethod;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// GLoRA of LyCORIS and of peft, which are two formulas.
final class GloraFactors {
    private static final String TERM = "glora_";

    private GloraFactors() {}

    /// W · a1 · a2 + b1 · b2. In files of LyCORIS before 2.0, as A1111 reads them, the factors have the opposite order
    /// in both products.
    static LayerDelta read(Layer layer, LayerTensors tensors) {
        Tensor a1 = tensors.get("a1.weight"), a2 = tensors.get("a2.weight");
        Tensor b1 = tensors.get("b1.weight"), b2 = tensors.get("b2.weight");
        long outputs = layer.weightShape().size(0), inputs = layer.weightShape().size(1);
        boolean isCurrent = a1.shape().size(0) == inputs && b1.shape().size(0) == outputs;
        boolean isOld = a2.shape().size(0) == inputs && b2.shape().size(0) == outputs && layer.kernelSize() == 1;
        if (!layer.isProjection() || !isCurrent && !isOld)
            throw new IllegalArgumentException("expected a1 and b1 with " + inputs + " and " + outputs
                    + " rows, found " + a1.shape() + " and " + b1.shape());
        if (!isCurrent) {
            Map<String, Tensor> swapped = new HashMap<>(tensors.byName());
            swapped.putAll(Map.of("a1.weight", a2, "a2.weight", a1, "b1.weight", b2, "b2.weight", b1));
            return read(layer, new LayerTensors(swapped));
        }
        long rank = a2.shape().size(0);
        if (tensors.has("bm.weight")) b2 = FactorMath.contractCore(tensors.get("bm.weight"), b2);
        double scale = tensors.scale(rank);
        return new LayerDelta(new Glora(Math.toIntExact(rank), rank), Map.of(
                "a1", FactorMath.reshape(a1, Shape.of(inputs, rank), "a1.weight").scaled(scale),
                "a2", FactorMath.reshape(a2, Shape.of(rank, inputs), "a2.weight"),
                "b1", FactorMath.reshape(b1, Shape.of(outputs, rank), "b1.weight").scaled(scale),
                "b2", FactorMath.reshape(b2, layer.weightShape().with(0, rank), "b2.weight")));
    }

    static Map<String, Tensor> write(Layer layer, TuningMethod method, Adaptation.AdapterParameters<Tensor> values) {
        if (!(method instanceof Glora glora)) return Map.of();
        Map<String, Tensor> tensors = new HashMap<>();
        for (String factor : List.of("a1", "a2", "b1", "b2")) {
            Tensor value = values.get(factor);
            boolean isPoint = layer.weightShape().rank() == 4 && value.shape().rank() == 2;
            tensors.put(factor + ".weight", isPoint
                    ? value.reshape(Shape.of(value.shape().size(0), value.shape().size(1), 1, 1))
                    : value);
        }
        tensors.put(AdapterKind.ALPHA, AdapterKind.alpha(glora.alpha()));
        return tensors;
    }

    /// GLoRA of peft: each term a product `Xd` · `Xu`, a vector or a scalar `X`, or nothing (`zeros`).
    static LayerDelta readTerms(Layer layer, LayerTensors tensors) {
        if (!layer.isProjection())
            throw new IllegalArgumentException("expected a convolution or a linear layer, found " + layer.kind());
        Map<String, Tensor> values = new HashMap<>();
        List<GloraStructure.Form> forms = new ArrayList<>();
        int rank = 1;
        for (String term : List.of("A", "B", "C", "D", "E")) {
            String prefix = TERM + term + ".";
            long rows = term.equals("C") ? layer.fanIn() : layer.weightShape().size(0);
            if (tensors.has(prefix + "Xd")) {
                Tensor down = tensors.get(prefix + "Xd");
                rank = Math.toIntExact(down.shape().elements() / rows);
                values.put(term + "d", FactorMath.reshape(down, Shape.of(rows, rank), prefix + "Xd"));
                values.put(term + "u",
                        tensors.get(prefix + "Xu", Shape.of(rank, term.equals("C") ? 1 : layer.fanIn())));
                forms.add(GloraStructure.Form.LOW_RANK);
            } else if (tensors.has(prefix + "X")) {
                boolean isScalar = tensors.get(prefix + "X").shape().elements() == 1;
                values.put(term, tensors.get(prefix + "X", Shape.of(isScalar ? 1 : rows)));
                forms.add(isScalar ? GloraStructure.Form.SCALAR : GloraStructure.Form.VECTOR);
            } else forms.add(GloraStructure.Form.NONE);
        }
        GloraStructure structure = new GloraStructure(forms.get(0), forms.get(1), forms.get(2), forms.get(3),
                forms.get(4));
        return new LayerDelta(new GloraTerms(rank, GloraPattern.ofAll(structure)), values);
    }

    /// GLoRA of LyCORIS. The scale becomes part of the factors.
    static MethodSettings trained(TrainedLayers layers) {
        layers.layers().keySet().forEach(name -> {
            layers.delta(name).values().forEach((factor, value) -> layers.put(name, factor, value));
            layers.ranks().put(name, Math.toIntExact(layers.values().get(name + ".a2").shape().size(0)));
        });
        return layers.ranked(MethodName.GLORA);
    }

    /// GLoRA of peft.
    static MethodSettings trainedTerms(TrainedLayers layers) {
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
        Map<MethodSetting, String> settings = layers.settings(MethodSetting.STRUCTURE,
                pattern(layers, structures).toString());
        if (!productRanks.isEmpty()) settings.put(MethodSetting.RANK, TrainedLayers.only(productRanks, "ranks"));
        return new MethodSettings(MethodName.GLORA_TERMS, settings);
    }

    /// One structure if all layers have it, up to the terms that belong to a bias.
    private static GloraPattern pattern(TrainedLayers layers, Map<String, GloraStructure> structures) {
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
}
