package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.LayerRanks;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.method.TextualInversion;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// The weighted sum Σ wᵢ · ΔWᵢ of adapters of one kind, as one adapter. It is exact for kinds whose change is linear in
/// its trained parameters: these are added. LoRA of any ranks are concatenated, which adds their products.
/// @param terms in order; the first gives the trigger words
public record AdapterSum(List<Term> terms) {
    /// @param name for messages
    public record Term(String name, AdapterFile adapter, double weight) {}

    private static final Set<String> LINEAR = Set.of("atoms", "channels", "full", "norm", "bitfit");
    private static final String LORA = "lora";

    public AdapterSum {
        terms = List.copyOf(terms);
        if (terms.size() < 2)
            throw new IllegalArgumentException("adapters: expected at least two, found " + terms.size());
    }

    /// @throws Failure.Incompatible if the adapters are of different kinds, or of one that cannot be added
    public AdapterFile sum(DiffusionModel model) throws Failure {
        List<Layer> network = model.trainableLayers();
        for (Term term : terms) term.adapter.requireFits(model);
        Optional<String> obstacle = obstacle();
        if (obstacle.isPresent())
            throw new Failure.Incompatible(obstacle.get()
                    + "; write the sum as whole differences or as LoRA of a rank, or merge these into a model");
        return kinds().equals(Set.of(LORA)) ? concatenated(network) : added(network);
    }

    /// Why the sum of these is no adapter of their kind; empty if it is one.
    public Optional<String> obstacle() {
        Set<String> kinds = kinds();
        if (kinds.equals(Set.of(LORA))) return Optional.empty();
        MethodSettings settings = withoutWord(terms.getFirst().adapter.method());
        for (Term term : terms) {
            MethodSettings other = withoutWord(term.adapter.method());
            if (!other.equals(settings))
                return Optional.of(term.name + ": expected method " + describe(settings) + " as in "
                        + terms.getFirst().name + ", found " + describe(other));
        }
        return LINEAR.containsAll(kinds) ? Optional.empty()
                : Optional.of("method " + settings.name() + ": the sum of two such adapters is none: expected LoRA, "
                        + "LoCon, filter or channel atoms, biases, norms or weight diffs");
    }

    private Set<String> kinds() {
        return terms.stream()
                .flatMap(term -> layers(term.adapter).stream())
                .map(AdaptedLayer::method)
                .collect(Collectors.toSet());
    }

    /// Messages about what the sum does not hold or mixes.
    public List<String> warnings() {
        List<String> warnings = new ArrayList<>();
        for (Term term : terms)
            term.adapter.embeddingToken()
                    .ifPresent(token -> warnings.add(term.name + ": its word \"" + token.token()
                            + "\" is not part of the result; export it as embedding"));
        Set<String> bases = terms.stream()
                .map(term -> term.adapter.base().hash())
                .filter(hash -> !hash.isEmpty())
                .collect(Collectors.toSet());
        if (bases.size() > 1)
            warnings.add("the adapters were trained on different weights: "
                    + terms.stream()
                            .map(term -> term.name + " on " + term.adapter.base().name())
                            .collect(Collectors.joining(", ")));
        return warnings;
    }

    /// Without the word, of which no sum exists.
    private static List<AdaptedLayer> layers(AdapterFile adapter) {
        return adapter.layers()
                .stream()
                .filter(layer -> !layer.name().equals(TextualInversion.TOKEN_EMBEDDING))
                .toList();
    }

    /// A = (A₁; A₂; …), B = (w₁ · α₁/r₁ · B₁, w₂ · α₂/r₂ · B₂, …), α = r.
    private AdapterFile concatenated(List<Layer> network) {
        Map<String, Tensor> values = new HashMap<>();
        Map<String, Integer> ranks = new TreeMap<>();
        boolean hasKernels = false;
        for (Layer layer : network) {
            List<Tensor> downs = new ArrayList<>(), ups = new ArrayList<>();
            for (Term term : terms) {
                Tensor down = term.adapter.values().get(layer.name() + ".A");
                if (down == null) continue;
                long rank = down.shape().size(0);
                double scale = term.weight * term.adapter.method().alpha(rank) / rank;
                downs.add(down);
                ups.add(term.adapter.values().get(layer.name() + ".B").scaled(scale));
            }
            if (downs.isEmpty()) continue;
            Tensor down = Tensor.concatenate(downs.toArray(Tensor[]::new));
            ranks.put(layer.name(), Math.toIntExact(down.shape().size(0)));
            values.put(layer.name() + ".A", down);
            values.put(layer.name() + ".B", Tensor.concatenateColumns(ups));
            hasKernels |= layer.kernelSize() > 1;
        }
        return result(new LayerRanks(ranks).settings(hasKernels ? MethodName.LOCON : MethodName.LORA, 1, network),
                network, values);
    }

    /// Σ wᵢ θᵢ of the trained parameters; the frozen ones must be equal.
    private AdapterFile added(List<Layer> network) throws Failure {
        MethodSettings settings = withoutWord(terms.getFirst().adapter.method());
        ParameterLayout layout = ParameterLayout.of(settings.method(), network);
        Map<String, Tensor> values = new HashMap<>();
        for (ParameterLayout.LayerParameter entry : layout.frozen()) {
            Tensor first = value(terms.getFirst(), entry);
            for (Term term : terms)
                if (!value(term, entry).equals(first))
                    throw new Failure.Incompatible(term.name + ": " + entry.key() + " is not that of "
                            + terms.getFirst().name + ": the atoms were made from other weights");
            values.put(entry.key(), first);
        }
        for (ParameterLayout.LayerParameter entry : layout.trained()) {
            Tensor sum = Tensor.zeros(entry.spec().shape());
            for (Term term : terms)
                sum = sum.zip(value(term, entry), (total, addend) -> total + term.weight * addend);
            values.put(entry.key(), sum);
        }
        return result(settings, network, values);
    }

    private static Tensor value(Term term, ParameterLayout.LayerParameter entry) {
        return term.adapter.values().get(entry.key());
    }

    private static String describe(MethodSettings settings) {
        return settings.name() + " " + settings.entries();
    }

    private static MethodSettings withoutWord(MethodSettings settings) {
        if (settings.choice() == MethodName.ATOMS_AND_WORD)
            return new MethodSettings(MethodName.ATOMS, settings.overrides());
        return settings.combinedWith().equals(Optional.of(MethodName.TEXTUAL_INVERSION))
                ? settings.with(MethodSetting.COMBINE_WITH, "")
                : settings;
    }

    private AdapterFile result(MethodSettings settings, List<Layer> network, Map<String, Tensor> values) {
        AdapterFile first = terms.getFirst().adapter;
        return new AdapterFile(settings, first.base(), first.trigger(), first.training(),
                AdaptedLayer.of(settings.method(), network), values);
    }
}
