package atomstudio.tuning.adapter;

import static atomstudio.tuning.interop.TrainedLayers.DOES_NOT_FIT;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.interop.TrainedLayers;
import atomstudio.tuning.method.LayerRanks;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.setting.Setting;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// An adapter of another program as parameters of the method that trains its kind ([TrainedLayers]), so that its
/// training can go on here. Beside layers of one kind it may have differences of norms (method `norm`), and LoRA on the
/// text encoder.
public final class TrainableAdapter {
    private static final Trigger UNKNOWN_TRIGGER = new Trigger("sks", "thing");

    private final ExternalAdapter.LayerMatch match;
    private final List<Layer> network;
    private final Map<String, Tensor> values = new HashMap<>();

    private TrainableAdapter(ExternalAdapter.LayerMatch match, List<Layer> network) {
        this.match = match;
        this.network = network;
    }

    /// The only adapter in a file, in this program's format. Adapters of other programs have no base model's hash.
    /// @throws Failure.Incompatible if it is of a kind that is not trained here, or does not fit the model
    public static AdapterFile read(Path file, DiffusionModel model) throws Failure {
        List<AdapterSource.NamedAdapter> found = AdapterSource.read(file);
        if (found.size() != 1)
            throw new Failure.Incompatible(file + ": expected one adapter, found " + found.size() + " ("
                    + found.stream().map(AdapterSource.NamedAdapter::name).collect(Collectors.joining(", "))
                    + "); split the file");
        return switch (found.getFirst().source()) {
            case AdapterFile adapter -> {
                adapter.requireFits(model);
                yield adapter;
            }
            case ExternalAdapter adapter -> {
                try {
                    yield of(adapter, model);
                } catch (Failure.Incompatible | IllegalArgumentException e) {
                    throw new Failure.Incompatible(file + ": " + e.getMessage());
                }
            }
            case EmbeddingFile embedding -> throw new Failure.Incompatible(file + ": is a textual inversion, which "
                    + DOES_NOT_FIT + "it does not contain the class word; train a new one");
        };
    }

    /// @throws IllegalArgumentException if its kind is not trained here
    static AdapterFile of(ExternalAdapter adapter, DiffusionModel model) throws Failure {
        ExternalAdapter.LayerMatch match = ExternalAdapter.LayerMatch.of(adapter, model);
        if (!match.unmatched().isEmpty() || !adapter.otherTensors().isEmpty())
            throw new IllegalArgumentException(DOES_NOT_FIT + "it has tensors that belong to no layer of "
                    + model.name() + ", which would be lost: " + ExternalAdapter.firstFew(
                            List.copyOf((match.unmatched().isEmpty() ? adapter.otherTensors() : match.unmatched())
                                    .keySet()),
                            ", "));
        TrainableAdapter trainable = new TrainableAdapter(match, model.trainableLayers());
        MethodSettings settings = trainable.settings(adapter.kind());
        AdapterFile file = new AdapterFile(settings, new BaseModel(model.name(), ""), UNKNOWN_TRIGGER,
                new AdapterFile.TrainingSummary(0, settings.choice().learningRate(), 0),
                AdaptedLayer.of(settings.method(), trainable.network), trainable.values);
        trainable.requireLayout(settings);
        file.requireFits(model);
        return file;
    }

    private MethodSettings settings(String kind) {
        TrainedLayers all = layers(_ -> true);
        if (all.isOfOneKind()) return converted(all, kind);
        Predicate<Layer> isNorm = layer -> layer.kind() == Layer.Kind.NORM;
        Predicate<Layer> isText = layer -> layer.component().equals(Component.TEXT_ENCODER);
        TrainedLayers norms = layers(isNorm), text = layers(isText.and(isNorm.negate()));
        TrainedLayers others = layers(isNorm.negate());
        boolean hasText = !others.isOfOneKind();
        TrainedLayers main = hasText ? layers(isNorm.or(isText).negate()) : others;
        MethodSettings settings = converted(main, kind);
        if (!norms.isEmpty())
            settings = settings.with(MethodSetting.COMBINE_WITH, converted(norms, kind).choice().option());
        return hasText ? withTextEncoder(settings, main, text, kind) : settings;
    }

    private TrainedLayers layers(Predicate<Layer> chosen) {
        return new TrainedLayers(match.deltas(), match.tensors(), network, chosen);
    }

    private MethodSettings converted(TrainedLayers layers, String kind) {
        if (layers.isEmpty() || !layers.isOfOneKind())
            throw new IllegalArgumentException(DOES_NOT_FIT + "it is " + kind + "; expected LoRA, LoCon, DoRA, LoHa, "
                    + "LoKr, GLoRA, OFT, BOFT, IA³, VeRA or weight diffs, the same on every layer, and LoRA or the "
                    + "same on the text encoder; weight diffs of norms may be beside it");
        MethodSettings settings = layers.settings();
        values.putAll(layers.values());
        return settings;
    }

    /// The scale α/r is one for all layers.
    private MethodSettings withTextEncoder(MethodSettings settings, TrainedLayers main, TrainedLayers text,
            String kind) {
        boolean isLora = converted(text, kind).choice() == MethodName.LORA;
        if (!isLora)
            throw new IllegalArgumentException(DOES_NOT_FIT
                    + "its layers of the text encoder are of another kind than the UNet's; expected LoRA or the same");
        double scale = main.ranks().isEmpty() ? text.scale() : main.scale();
        text.rescale(scale);
        values.putAll(text.values());
        Map<String, Integer> ranks = new TreeMap<>(main.ranks());
        ranks.putAll(text.ranks());
        MethodSettings both = new LayerRanks(ranks).settings(MethodName.LORA, scale, network);
        MethodSettings result = settings.with(MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES);
        for (MethodSetting setting : List.of(MethodSetting.RANK, MethodSetting.ALPHA, MethodSetting.RANK_PATTERN))
            result = result.with(setting, both.value(setting));
        return result;
    }

    /// The parameters must be those of the method.
    private void requireLayout(MethodSettings settings) {
        ParameterLayout layout = ParameterLayout.of(settings.method(), network);
        Map<String, Shape> expected = new TreeMap<>();
        layout.trained().forEach(entry -> expected.put(entry.key(), entry.spec().shape()));
        layout.frozen().forEach(entry -> expected.put(entry.key(), entry.spec().shape()));
        Map<String, Shape> found = new TreeMap<>();
        values.forEach((key, value) -> found.put(key, value.shape()));
        Optional<String> difference = expected.keySet()
                .stream()
                .filter(key -> !expected.get(key).equals(found.get(key)))
                .findFirst()
                .or(() -> found.keySet().stream().filter(key -> !expected.containsKey(key)).findFirst());
        if (difference.isEmpty()) return;
        String key = difference.get();
        throw new IllegalArgumentException(DOES_NOT_FIT + key + " is " + text(found.get(key)) + " in the file, method "
                + settings.combinedName() + " trains " + text(expected.get(key)));
    }

    private static String text(@Nullable Shape shape) {
        return shape == null ? "absent" : shape.toString();
    }
}
