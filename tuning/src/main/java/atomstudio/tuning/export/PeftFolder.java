package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.interop.AdapterKind;
import atomstudio.tuning.interop.AdapterTensorKey;
import atomstudio.tuning.interop.KeyConvention;
import atomstudio.tuning.method.Boft;
import atomstudio.tuning.method.Ia3;
import atomstudio.tuning.method.Lokr;
import atomstudio.tuning.method.Oft;
import atomstudio.tuning.method.RescaledRotation;
import atomstudio.tuning.method.Vera;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Writes adapters of peft: a folder with `adapter_config.json` and `adapter_model.safetensors` for the UNet, or a
/// folder `unet` and a folder `text_encoder` if both are trained.
/// Source: peft 0.21, its configurations.
record PeftFolder(AdapterFile adapter, Path folder) {
    private static final Gson JSON = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

    /// @return the number of elements written
    long write(List<CompactExport.CompactLayer> layers) throws Failure {
        try {
            ModelFolder.requireEmpty(folder);
            return writeComponents(layers);
        } catch (IOException e) {
            throw new Failure.Unwritable(folder + ": cannot be written: " + e.getMessage() + "; choose another folder",
                    e);
        }
    }

    private long writeComponents(List<CompactExport.CompactLayer> layers) throws Failure, IOException {
        Set<Component> components = CompactExport.components(layers);
        long elements = 0;
        for (Component component : components) {
            List<CompactExport.CompactLayer> own = layers.stream()
                    .filter(each -> each.layer().component().equals(component))
                    .toList();
            elements += write(own, components.size() == 1 ? folder : folder.resolve(component.folder()));
        }
        return elements;
    }

    private long write(List<CompactExport.CompactLayer> layers, Path target) throws Failure, IOException {
        AdapterKind kind = layers.getFirst().written().kind();
        if (layers.stream().anyMatch(each -> each.written().kind() != kind))
            throw new Failure.Incompatible("format " + ExportFormat.PEFT_FOLDER.option()
                    + ": expected one kind of adapter in each network, found " + kind.title() + " and others; export "
                    + "it as " + ExportFormat.KOHYA.option());
        Map<String, Tensor> tensors = new TreeMap<>();
        for (CompactExport.CompactLayer each : layers) {
            String name = KeyConvention.PEFT.name(each.layer().component(), path(each.layer()));
            each.written().tensors().forEach((parameter, tensor) -> {
                if (!parameter.equals(AdapterKind.ALPHA))
                    tensors.put(name + "." + AdapterTensorKey.peftName(parameter),
                            CompactExport.peftShaped(parameter, each.layer(), tensor));
            });
        }
        if (kind == AdapterKind.VERA) addProjections(tensors, layers);
        StudioFolder.createDirectories(target);
        String config = JSON.toJson(config(kind, layers)) + "\n";
        AtomicFile.write(target.resolve("adapter_config.json"),
                out -> out.write(config.getBytes(StandardCharsets.UTF_8)));
        SafetensorsWriter.write(target.resolve("adapter_model.safetensors"), tensors, Map.of("format", "pt"));
        return CompactExport.elements(tensors);
    }

    private Map<String, Object> config(AdapterKind kind, List<CompactExport.CompactLayer> layers) {
        Map<String, Object> config = new TreeMap<>();
        config.put("base_model_name_or_path", adapter.base().name());
        config.put("inference_mode", true);
        List<String> paths = layers.stream().map(each -> path(each.layer())).toList();
        boolean isText = layers.getFirst().layer().component().equals(Component.TEXT_ENCODER);
        // A list matches ends of names, a pattern whole ones: transformers 4 then reports that nothing matches.
        config.put("target_modules", isText ? String.join("|", paths).replace(".", "\\.") : paths);
        switch (kind) {
            case PEFT_OFT -> rotation(config, ((Oft) layers.getFirst().method()).blocks());
            case PEFT_BOFT -> butterfly(config, (Boft) RescaledRotation.rotation(layers.getFirst().method()));
            case IA3 -> {
                config.put("peft_type", "IA3");
                config.put("feedforward_modules", layers.stream()
                        .map(CompactExport.CompactLayer::layer)
                        .filter(layer -> Ia3.side(layer) == Oft.Side.INPUT)
                        .map(PeftFolder::path)
                        .toList());
            }
            case VERA -> {
                config.put("peft_type", "VERA");
                config.put("r", ((Vera) layers.getFirst().method()).rank());
                config.put("save_projection", true);
            }
            case LORA -> ranked(config, "LORA", "lora_alpha", AdapterKind.DOWN, layers);
            case LOHA -> ranked(config, "LOHA", "alpha", "hada_w1_b", layers);
            case LOKR -> {
                ranked(config, "LOKR", "alpha", "lokr_w2_b", layers);
                config.put("decompose_factor", ((Lokr) layers.getFirst().method()).factor());
            }
            default -> throw new IllegalStateException(kind.title());
        }
        return config;
    }

    /// As in transformers 5, which has no `text_model.`.
    private static String path(Layer layer) {
        return layer.path().replaceFirst("^text_model\\.", "");
    }

    private static void rotation(Map<String, Object> config, Oft.BlockSpec blocks) {
        boolean isCount = blocks.unit() == Oft.BlockSpec.Unit.COUNT;
        config.put("peft_type", "OFT");
        config.put("r", isCount ? blocks.value() : 0);
        config.put("oft_block_size", isCount ? 0 : blocks.value());
        config.put("use_cayley_neumann", false);
        config.put("bias", "none");
    }

    private static void butterfly(Map<String, Object> config, Boft boft) {
        boolean isCount = boft.blocks().unit() == Oft.BlockSpec.Unit.COUNT;
        config.put("peft_type", "BOFT");
        config.put("boft_block_num", isCount ? boft.blocks().value() : 0);
        config.put("boft_block_size", isCount ? 0 : boft.blocks().value());
        config.put("boft_n_butterfly_factor", boft.factors());
        config.put("bias", "none");
    }

    /// The matrices that all layers share, for the largest layer, and the scales of the others accordingly: A is within
    /// ±√(6/inputs). Stored matrices are the leading rows and columns of those of the largest layers.
    private void addProjections(Map<String, Tensor> tensors, List<CompactExport.CompactLayer> layers) {
        Vera vera = (Vera) layers.getFirst().method();
        Layer widest = layers.stream()
                .map(CompactExport.CompactLayer::layer)
                .max(Comparator.comparingLong(Layer::fanIn))
                .orElseThrow();
        Layer tallest = layers.stream()
                .map(CompactExport.CompactLayer::layer)
                .max(Comparator.comparingLong(layer -> layer.weightShape().size(0)))
                .orElseThrow();
        if (vera.seed().isEmpty()) {
            tensors.put("base_model." + AdapterKind.VERA_A, adapter.values().get(widest.name() + ".A"));
            tensors.put("base_model." + AdapterKind.VERA_B, adapter.values().get(tallest.name() + ".B"));
            return;
        }
        long inputs = widest.fanIn(), outputs = tallest.weightShape().size(0);
        for (CompactExport.CompactLayer each : layers) {
            String key = KeyConvention.PEFT.name(each.layer().component(), path(each.layer())) + "."
                    + AdapterKind.VERA_LAMBDA_D;
            double factor = Math.sqrt((double) inputs / each.layer().fanIn());
            tensors.computeIfPresent(key, (_, d) -> d.scaled(factor));
        }
        tensors.put("base_model." + AdapterKind.VERA_A, vera.a(inputs, inputs));
        tensors.put("base_model." + AdapterKind.VERA_B, vera.b(outputs));
    }

    private static void ranked(Map<String, Object> config, String type, String alphaName, String rankedTensor,
            List<CompactExport.CompactLayer> layers) {
        int rank = ownRank(layers.getFirst(), rankedTensor);
        double alpha = layers.getFirst().alpha();
        Map<String, Integer> ranks = new TreeMap<>();
        Map<String, Double> alphas = new TreeMap<>();
        for (CompactExport.CompactLayer each : layers) {
            int own = ownRank(each, rankedTensor);
            if (own != rank) ranks.put(path(each.layer()), own);
            if (each.alpha() != alpha) alphas.put(path(each.layer()), each.alpha());
        }
        config.put("peft_type", type);
        config.put("r", rank);
        config.put(alphaName, alpha);
        config.put("rank_pattern", ranks);
        config.put("alpha_pattern", alphas);
        if (type.equals("LORA")) {
            config.put("bias", "none");
            config.put("use_dora", layers.getFirst().written().tensors().containsKey(AdapterKind.MAGNITUDE));
        }
    }

    /// A layer without the tensor has α/r = 1.
    private static int ownRank(CompactExport.CompactLayer layer, String rankedTensor) {
        Tensor ranked = layer.written().tensors().get(rankedTensor);
        return ranked == null ? (int) layer.alpha() : Math.toIntExact(ranked.shape().size(0));
    }
}
