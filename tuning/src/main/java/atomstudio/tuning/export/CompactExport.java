package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.interop.AdapterKind;
import atomstudio.tuning.interop.AdapterTensorKey;
import atomstudio.tuning.interop.KeyConvention;
import atomstudio.tuning.method.Pissa;
import atomstudio.tuning.method.TextualInversion;
import atomstudio.tuning.method.TuningMethod;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Writes trained parameters as they are, in the form that LyCORIS, sd-scripts, diffusers and peft have for their kind.
record CompactExport(AdapterFile adapter, Target target) {
    /// KOHYA: one file with sd-scripts' and LyCORIS' names. DIFFUSERS: one file of LoRA or DoRA with diffusers' names.
    /// PEFT: folders with a configuration, of one kind each.
    enum Target {
        KOHYA(Set.of(AdapterKind.LORA, AdapterKind.LOHA, AdapterKind.LOKR, AdapterKind.OFT, AdapterKind.GLORA,
                AdapterKind.FULL_DIFF)),
        DIFFUSERS(Set.of(AdapterKind.LORA)),
        PEFT(Set.of(AdapterKind.LORA, AdapterKind.LOHA, AdapterKind.LOKR, AdapterKind.PEFT_OFT,
                AdapterKind.PEFT_BOFT, AdapterKind.IA3, AdapterKind.VERA));

        private final Set<AdapterKind> kinds;

        Target(Set<AdapterKind> kinds) {
            this.kinds = kinds;
        }
    }

    /// A layer with its method's own record.
    record CompactLayer(Layer layer, TuningMethod method, AdapterKind.WrittenLayer written) {
        double alpha() {
            return written.tensors().get(AdapterKind.ALPHA).data()[0];
        }
    }

    ExportFormat.ExportResult write(ExportBaseModel base, Path path) throws Failure {
        List<CompactLayer> layers = layers();
        if (layers.isEmpty())
            throw new Failure.Incompatible("format " + ExportFormat.of(target).option() + ": expected an adapter of "
                    + target.kinds.stream().sorted().map(CompactExport::title).collect(Collectors.joining(", "))
                    + ", found one of method " + adapter.method().name() + "; export it as "
                    + ExportFormat.recommended(adapter).option());
        long elements = switch (target) {
            case KOHYA -> writeKohya(layers, base, path);
            case DIFFUSERS -> writeDiffusers(layers, path);
            case PEFT -> new PeftFolder(adapter, path).write(layers);
        };
        return new ExportFormat.ExportResult(elements, omitted(layers));
    }

    private static String title(AdapterKind kind) {
        return switch (kind) {
            case OFT -> "OFT of outputs";
            case PEFT_OFT -> "OFT of inputs";
            default -> kind.title();
        };
    }

    /// Elements of the layers that the file would have.
    long elementCount() {
        return layers().stream().mapToLong(each -> elements(each.written.tensors())).sum();
    }

    private List<CompactLayer> layers() {
        TuningMethod method = adapter.method().method();
        List<CompactLayer> layers = new ArrayList<>();
        for (AdaptedLayer adapted : adapter.layers()) {
            if (adapted.name().equals(TextualInversion.TOKEN_EMBEDDING)) continue;
            boolean hasBias = adapter.values().containsKey(adapted.name() + ".bias");
            Layer layer = adapted.layer(hasBias ? Layer.Bias.PRESENT : Layer.Bias.ABSENT);
            TuningMethod own = own(method, layer);
            AdapterKind.write(layer, own, name -> adapter.values().get(adapted.name() + "." + name))
                    .filter(written -> target.kinds.contains(written.kind()))
                    .ifPresent(written -> layers.add(new CompactLayer(layer, own, written)));
        }
        return layers;
    }

    private static TuningMethod own(TuningMethod method, Layer layer) {
        TuningMethod own = method.methodFor(layer);
        return own.equals(method) ? own : own(own, layer);
    }

    /// For details in the metadata; the file does not depend on the model.
    private static Optional<DiffusionModel> openedBase(ExportBaseModel base) {
        try {
            return Optional.of(base.model().open());
        } catch (Failure e) {
            return Optional.empty();
        }
    }

    private long writeKohya(List<CompactLayer> layers, ExportBaseModel base, Path file) throws Failure {
        Optional<DiffusionModel> model = openedBase(base);
        Map<String, Tensor> tensors = new TreeMap<>();
        for (CompactLayer each : layers) {
            for (String name : kohyaNames(each.layer))
                each.written.tensors().forEach((parameter, tensor) -> tensors.put(name + "." + parameter, tensor));
        }
        model.ifPresent(each -> {
            Map<String, Shape> shapes = new HashMap<>();
            tensors.forEach((key, tensor) -> shapes.put(key, tensor.shape()));
            tensors.putAll(ExportMetadata.versionMarker(each, shapes));
        });
        boolean isDora = tensors.keySet().stream().anyMatch(key -> key.endsWith("." + AdapterKind.MAGNITUDE));
        boolean hasAlpha = tensors.keySet().stream().anyMatch(key -> key.endsWith("." + AdapterKind.ALPHA));
        if (!isLora(layers)) tensors.putAll(ExportMetadata.embedding(adapter));
        Map<String, String> metadata = ExportMetadata.of(adapter, model, base.thumbnail());
        Set<AdapterKind> kinds = layers.stream().map(each -> each.written.kind()).collect(Collectors.toSet());
        if (isLora(layers)) {
            metadata.put("ss_network_module", "networks.lora");
            metadata.remove("ss_network_args");
        } else {
            metadata.put("ss_network_args", "{\"algo\": \"" + algorithm(
                    kinds.stream().sorted().findFirst().orElseThrow()) + "\""
                    + (isDora ? ", \"dora_wd\": \"True\"" : "") + "}");
        }
        if (hasAlpha && !kinds.contains(AdapterKind.OFT)) {
            int terms = layers.stream().anyMatch(each -> each.method instanceof Pissa) ? 2 : 1; // as of rank 2r
            int rank = adapter.method().rank();
            metadata.put("ss_network_dim", Integer.toString(terms * rank));
            metadata.put("ss_network_alpha", Double.toString(terms * adapter.method().alpha(rank)));
        }
        metadata.put("ss_training_comment", adapter.method().name() + " by Atom Studio");
        ExportMetadata.write(file, tensors, metadata, DType.F32);
        return elements(tensors);
    }

    /// The names of a layer in a file. A1111 finds the UNet's last norm by its name in the original code alone, other
    /// programs by diffusers'.
    static List<String> kohyaNames(Layer layer) {
        String name = KeyConvention.KOHYA.name(layer.component(), layer.path());
        return name.equals("lora_unet_conv_norm_out") ? List.of(name, "lora_unet_out_0") : List.of(name);
    }

    /// LyCORIS' name of a kind.
    private static String algorithm(AdapterKind kind) {
        return switch (kind) {
            case OFT -> "diag-oft";
            case FULL_DIFF -> "full";
            default -> kind.name().toLowerCase(Locale.ROOT);
        };
    }

    /// α/r is multiplied into B, since not every reader supports α in this format.
    private static long writeDiffusers(List<CompactLayer> layers, Path file) throws Failure {
        Map<String, Tensor> tensors = new TreeMap<>();
        for (CompactLayer each : layers) {
            String name = KeyConvention.DIFFUSERS.name(each.layer.component(), each.layer.path());
            Map<String, Tensor> written = each.written.tensors();
            double rank = written.get(AdapterKind.DOWN).shape().size(0);
            written.forEach((parameter, tensor) -> {
                if (!parameter.equals(AdapterKind.ALPHA))
                    tensors.put(name + "." + AdapterTensorKey.peftName(parameter), peftShaped(parameter, each.layer,
                            parameter.equals(AdapterKind.UP) ? tensor.scaled(each.alpha() / rank) : tensor));
            });
        }
        SafetensorsWriter.write(file, tensors, Map.of("format", "pt"));
        return elements(tensors);
    }

    /// DoRA's magnitudes are (Co), or (1, Co, 1, 1) of a convolution.
    static Tensor peftShaped(String parameter, Layer layer, Tensor tensor) {
        if (!parameter.equals(AdapterKind.MAGNITUDE)) return tensor;
        long outputs = layer.weightShape().size(0);
        return tensor.reshape(layer.weightShape().rank() == 4 ? Shape.of(1, outputs, 1, 1) : Shape.of(outputs));
    }

    static long elements(Map<String, Tensor> tensors) {
        return tensors.values().stream().mapToLong(tensor -> tensor.data().length).sum();
    }

    /// Whether the file is a LoRA, which diffusers reads.
    private static boolean isLora(List<CompactLayer> layers) {
        return layers.stream()
                .allMatch(each -> each.written.kind() == AdapterKind.LORA
                        && !each.written.tensors().containsKey(AdapterKind.MAGNITUDE));
    }

    private Optional<String> omitted(List<CompactLayer> layers) {
        List<String> notes = new ArrayList<>();
        long others = otherLayers(layers);
        if (others > 0)
            notes.add("The " + others + (others == 1 ? " layer" : " layers") + " of other methods are not included.");
        (target == Target.KOHYA && !isLora(layers) ? ExportMetadata.embeddingNote(adapter)
                : ExportMetadata.noEmbeddingNote(adapter)).ifPresent(notes::add);
        limits(layers).stream()
                .filter(limit -> limit != ExportLimit.OTHER_LAYERS)
                .map(ExportLimit::sentence)
                .forEach(notes::add);
        return notes.isEmpty() ? Optional.empty() : Optional.of(String.join(" ", notes));
    }

    private long otherLayers(List<CompactLayer> layers) {
        return adapter.layers()
                .stream()
                .filter(layer -> !layer.name().equals(TextualInversion.TOKEN_EMBEDDING))
                .count() - layers.size();
    }

    /// What the file would lack, and which programs would read less of it.
    List<ExportLimit> limits() {
        return limits(layers());
    }

    private List<ExportLimit> limits(List<CompactLayer> layers) {
        Set<ExportLimit> limits = EnumSet.noneOf(ExportLimit.class);
        if (otherLayers(layers) > 0) limits.add(ExportLimit.OTHER_LAYERS);
        if (target != Target.KOHYA) return List.copyOf(limits);
        for (CompactLayer each : layers) {
            Set<String> parameters = each.written.tensors().keySet();
            if (parameters.equals(Set.of(AdapterKind.DIFF_BIAS))) limits.add(ExportLimit.BIASES_ALONE);
            if (parameters.contains(AdapterKind.MAGNITUDE)) limits.add(ExportLimit.DORA_NORMS);
            if (each.written.kind() == AdapterKind.GLORA) limits.add(ExportLimit.GLORA);
            if (parameters.contains("lokr_w2_a")) limits.add(ExportLimit.FACTORED_LOKR);
            if (each.written.kind() == AdapterKind.OFT) limits.add(ExportLimit.OFT);
            if (parameters.contains("rescale")) limits.add(ExportLimit.RESCALED);
            if (hasFewBlocks(each.written)) limits.add(ExportLimit.FEW_BLOCKS);
        }
        return List.copyOf(limits);
    }

    private static boolean hasFewBlocks(AdapterKind.WrittenLayer written) {
        if (written.kind() != AdapterKind.OFT) return false;
        Shape blocks = written.tensors().get(AdapterKind.LYCORIS_BLOCKS).shape();
        return blocks.size(0) < blocks.size(1);
    }

    /// The components of these layers.
    static Set<Component> components(List<CompactLayer> layers) {
        return layers.stream().map(each -> each.layer.component()).collect(Collectors.toCollection(TreeSet::new));
    }
}
