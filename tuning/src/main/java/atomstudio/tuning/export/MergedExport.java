package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.LdmTensor;
import atomstudio.diffusion.onnx.OnnxFolder;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.ShapeOps;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.AdapterDeltas;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Writes a model with adapters merged into its weights: W + Σ s·ΔW, as one file of the LDM layout or as a folder of
/// diffusers' layout. One layer is in memory at a time.
/// @param model    the base model
/// @param before   adapters that are merged first, since the others were trained on the merged weights
/// @param adapters with their weights; none for a copy in another layout or precision
public record MergedExport(DiffusionModel model, List<WeightedAdapter> before, List<WeightedAdapter> adapters,
        Precision precision, TorchSettings torch) {
    /// Element type of the written weights.
    public enum Precision {
        HALF("half", DType.F16), BFLOAT16("bfloat16", DType.BF16), FLOAT32("float32", DType.F32);

        private final String option;
        private final DType dtype;

        Precision(String option, DType dtype) {
            this.option = option;
            this.dtype = dtype;
        }

        DType dtype() {
            return dtype;
        }

        /// @throws IllegalArgumentException for an unknown name, listing the known ones
        public static Precision ofOption(String option) {
            return Stream.of(values())
                    .filter(precision -> precision.option.equals(option))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("precision: expected one of "
                            + Stream.of(values()).map(each -> each.option).collect(Collectors.joining(", "))
                            + ", found " + option));
        }
    }

    /// Of a folder: diffusers' own, or with ONNX files ([OnnxFolder]).
    public enum FolderLayout { DIFFUSERS, ONNX }

    private static final double LARGEST_HALF = 65504;
    private static final Map<Component, String> WEIGHT_FILES = Map.of(Component.UNET,
            "diffusion_pytorch_model.safetensors", Component.VAE, "diffusion_pytorch_model.safetensors",
            Component.TEXT_ENCODER, "model.safetensors");

    private static final List<Component> COMPONENTS = List.of(Component.UNET, Component.VAE, Component.TEXT_ENCODER);

    public MergedExport {
        before = List.copyOf(before);
        adapters = List.copyOf(adapters);
    }

    /// Adapters that were trained on the model alone.
    public MergedExport(DiffusionModel model, List<WeightedAdapter> adapters, Precision precision,
            TorchSettings torch) {
        this(model, List.of(), adapters, precision, torch);
    }

    private Stream<WeightedAdapter> all() {
        return Stream.of(before, adapters).flatMap(List::stream);
    }

    /// One file with the original code's names, as A1111, Forge and ComfyUI open it.
    /// @throws Failure.Incompatible if the adapters cannot be merged, or a weight exceeds the precision's range
    /// @throws Failure.Conflict if the disk is too small; nothing is written then
    public ExportFormat.ExportResult writeFile(Path file) throws Failure {
        requireMergeable();
        List<LdmTensor> tensors = LdmTensor.of(model);
        Map<String, LdmTensor> byName = new HashMap<>();
        Map<String, Shape> shapes = new TreeMap<>();
        for (LdmTensor tensor : tensors) {
            byName.put(tensor.name(), tensor);
            shapes.put(tensor.name(), tensor.shape());
        }
        if (model.scheduler().predictionType() == PredictionType.V) shapes.put("v_pred", Shape.of(0));
        if (model.scheduler().hasZeroTerminalSnr()) shapes.put("ztsnr", Shape.of(0));
        Map<String, String> metadata = metadata();
        ModelFolder.requireSpace(file, SafetensorsWriter.fileLength(shapes, metadata, precision.dtype));
        try (MergedWeights weights = new MergedWeights(this)) {
            write(file, shapes, metadata, name -> {
                LdmTensor tensor = byName.get(name);
                return tensor == null ? Tensor.zeros(Shape.of(0)) : weights.get(tensor);
            });
        }
        return result(shapes);
    }

    /// A folder in diffusers' layout.
    public ExportFormat.ExportResult writeFolder(Path folder) throws Failure {
        return writeFolder(folder, FolderLayout.DIFFUSERS);
    }

    /// A folder in diffusers' layout: the base model's, with the merged weights. It is written beside its final place
    /// and moved.
    /// @throws Failure.Incompatible if the adapters cannot be merged, a weight exceeds the precision's range, or the
    ///     base model is one file
    /// @throws Failure.Conflict if the folder has content, or the disk is too small; nothing is written then
    public ExportFormat.ExportResult writeFolder(Path folder, FolderLayout layout) throws Failure {
        requireMergeable();
        if (!Files.isDirectory(model.path()))
            throw new Failure.Incompatible(model.path() + ": is a model in one file, which has no configurations to "
                    + "make a folder of; export it as one file");
        Map<Component, Map<String, Shape>> components = new HashMap<>();
        long bytes = 0;
        for (Component component : COMPONENTS) {
            Map<String, Shape> shapes = componentShapes(model, component);
            components.put(component, shapes);
            boolean isTwice = layout == FolderLayout.ONNX && component.equals(Component.VAE);
            bytes += (isTwice ? 2 : 1) * SafetensorsWriter.fileLength(shapes, Map.of("format", "pt"), precision.dtype);
        }
        ModelFolder target = new ModelFolder(model, folder);
        long total = bytes;
        try (MergedWeights weights = new MergedWeights(this)) {
            target.write(total, part -> {
                for (Component component : COMPONENTS) {
                    Path file = part.resolve(component.folder()).resolve(WEIGHT_FILES.get(component));
                    write(file, components.get(component), Map.of("format", "pt"),
                            name -> weights.get(component, name));
                }
                if (layout == FolderLayout.ONNX) OnnxFolder.convert(part);
            });
        }
        return result(components.values()
                .stream()
                .flatMap(shapes -> shapes.entrySet().stream())
                .collect(Collectors.toMap(entry -> entry.getKey() + "/" + entry.getValue(), Map.Entry::getValue,
                        (first, _) -> first)));
    }

    private void write(Path file, Map<String, Shape> shapes, Map<String, String> metadata,
            Function<String, Tensor> tensors) throws Failure {
        try {
            SafetensorsWriter.write(file, shapes, metadata, precision.dtype,
                    name -> requireRepresentable(name, tensors.apply(name)));
        } catch (OutOfRange e) {
            throw new Failure.Incompatible(String.valueOf(e.getMessage()));
        }
    }

    private static final class OutOfRange extends RuntimeException {
        private static final long serialVersionUID = 1;

        OutOfRange(String message) {
            super(message);
        }
    }

    private Tensor requireRepresentable(String name, Tensor tensor) {
        if (!tensor.isFinite())
            throw new OutOfRange(name + ": the merged weight contains NaN or infinity; use smaller adapter weights, or "
                    + "another base model");
        if (precision == Precision.HALF)
            for (float value : tensor.data())
                if (Math.abs(value) > LARGEST_HALF)
                    throw new OutOfRange(name + ": " + value + " is too large for half precision (at most "
                            + LARGEST_HALF + "); export in bfloat16 or float32");
        return tensor;
    }

    /// A bias of a layer without one has no place in a checkpoint.
    private void requireMergeable() throws Failure {
        model.requireOneTextEncoder();
        List<String> unbiased = model.trainableLayers()
                .stream()
                .filter(layer -> !layer.hasBias()
                        && all().anyMatch(each -> addsBias(each.adapter().adaptation(), layer)))
                .map(Layer::name)
                .toList();
        if (!unbiased.isEmpty())
            throw new Failure.Incompatible("an adapter adds biases to " + unbiased.size() + " layers without one ("
                    + unbiased.getFirst() + ", …), which a merged model cannot store; export the adapter itself");
    }

    private static boolean addsBias(Adaptation adaptation, Layer layer) {
        Map<String, Shape> shapes = adaptation.parameterShapes(layer);
        if (shapes.isEmpty() || layer.kind() == Layer.Kind.EMBEDDING) return false;
        LayerWeights<Shape> adapted = adaptation.effective(new ShapeOps(), layer,
                new LayerWeights<>(layer.weightShape(), null), shapes::get, Shape.of(1));
        return adapted.bias() != null;
    }

    /// All weights of a component, with those that the network does not use, such as a text projection.
    private static Map<String, Shape> componentShapes(DiffusionModel model, Component component) throws Failure {
        Map<String, Shape> shapes = new TreeMap<>();
        try (Checkpoint checkpoint = model.openCheckpoint(component)) {
            for (String key : checkpoint.keys())
                if (checkpoint.info(key).dtype().isFloatingPoint()) shapes.put(key, checkpoint.info(key).shape());
        }
        return shapes;
    }

    /// Weights of a merged model, of all components.
    static long elements(DiffusionModel model) throws Failure {
        long elements = 0;
        for (Component component : COMPONENTS) elements += elements(model, component);
        return elements;
    }

    /// Weights that ONNX files contain twice: the autoencoder is one file of each direction.
    static long repeatedElements(DiffusionModel model) throws Failure {
        return elements(model, Component.VAE);
    }

    private static long elements(DiffusionModel model, Component component) throws Failure {
        return componentShapes(model, component).values().stream().mapToLong(Shape::elements).sum();
    }

    /// Words of textual inversions are not part of the weights.
    private ExportFormat.ExportResult result(Map<String, Shape> shapes) {
        String words = all().flatMap(each -> each.adapter().embeddingToken().stream())
                .map(token -> "\"" + token.token() + "\"")
                .collect(Collectors.joining(", "));
        return new ExportFormat.ExportResult(shapes.values().stream().mapToLong(Shape::elements).sum(),
                words.isEmpty() ? Optional.empty()
                        : Optional.of("The embedding of " + words + " is not part of the merged model: export it as "
                                + ExportFormat.EMBEDDING.option() + "."));
    }

    private Map<String, String> metadata() throws Failure {
        boolean isSd2 = model.unet().crossAttentionDim() == ExportMetadata.SD2_CONTEXT_WIDTH;
        boolean isV = model.scheduler().predictionType() == PredictionType.V;
        Map<String, String> metadata = new TreeMap<>();
        metadata.put("modelspec.sai_model_spec", "1.0.1");
        metadata.put("modelspec.architecture",
                isSd2 ? "stable-diffusion-v2-" + (isV ? "768-v" : "512") : "stable-diffusion-v1");
        metadata.put("modelspec.implementation", "https://github.com/CompVis/stable-diffusion");
        metadata.put("modelspec.title", model.name());
        metadata.put("modelspec.prediction_type", isV ? "v" : "epsilon");
        int side = model.sampleSize() * model.vae().downsamplingFactor();
        metadata.put("modelspec.resolution", side + "x" + side);
        if (all().findAny().isPresent())
            metadata.put("modelspec.merged_from", Stream.concat(Stream.of(model.name()),
                    all().map(each -> each.adapter().name() + " (" + each.weight() + ")"))
                    .collect(Collectors.joining(", ")));
        metadata.put("config", model.configs().toString());
        return metadata;
    }

    /// The model's tensors with the adapters merged; the last layer is kept, since its bias and weight follow each
    /// other.
    private static final class MergedWeights implements AutoCloseable {
        private final Map<Component, Checkpoint> checkpoints = new HashMap<>();
        private final Map<String, Layer> adaptedByKey = new HashMap<>();
        private final AdapterDeltas deltas;
        private @Nullable Layer lastLayer;
        private @Nullable LayerWeights<Tensor> lastWeights;

        MergedWeights(MergedExport export) throws Failure {
            deltas = AdapterDeltas.open(export.model, export.before, export.adapters, export.torch);
            try {
                checkpoints.putAll(export.model.openCheckpoints(COMPONENTS));
            } catch (Failure e) {
                close();
                throw e;
            }
            for (Layer layer : deltas.layers()) {
                adaptedByKey.put(layer.weightKey(), layer);
                adaptedByKey.put(layer.biasKey(), layer);
            }
        }

        Tensor get(LdmTensor tensor) {
            Tensor[] parts = tensor.sources().stream().map(key -> get(tensor.component(), key)).toArray(Tensor[]::new);
            return (parts.length == 1 ? parts[0] : Tensor.concatenate(parts)).reshape(tensor.shape());
        }

        Tensor get(Component component, String key) {
            Layer layer = adaptedByKey.get(key);
            if (layer == null || !layer.component().equals(component))
                return Objects.requireNonNull(checkpoints.get(component)).read(key);
            LayerWeights<Tensor> weights = lastWeights;
            if (weights == null || !layer.equals(lastLayer)) {
                weights = deltas.adapted(layer);
                lastWeights = weights;
                lastLayer = layer;
            }
            return key.equals(layer.biasKey()) ? Objects.requireNonNull(weights.bias()) : weights.weight();
        }

        @Override
        public void close() {
            checkpoints.values().forEach(Checkpoint::close);
            deltas.close();
        }
    }
}
