package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.interop.KeyConvention;
import atomstudio.tuning.torch.AdapterDeltas;
import atomstudio.tuning.torch.TruncatedSvd;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The changes of any method as LoRA and LoCon in half precision: of each layer's ΔW the best approximation of a rank,
/// by its singular values. The ranks are shared among the layers so that a budget leaves the smallest error, which is
/// known before the file is written: √(Σ dropped s² / Σ s²) over all layers.
/// @param layers    with their singular vectors
/// @param thumbnail for the metadata
public record LowRankExport(AdapterFile adapter, DiffusionModel model, List<FactoredLayer> layers, int omittedLayers,
        Optional<String> thumbnail) {
    /// How large the file may be, or how exact it must be.
    public sealed interface Budget {
        /// The same rank for every layer.
        record Rank(int rank) implements Budget {
            public Rank {
                if (rank < 1 || rank > MAX_RANK)
                    throw new IllegalArgumentException("rank: expected 1 to " + MAX_RANK + ", found " + rank);
            }
        }

        /// Of the tensors in the file.
        record Size(long bytes) implements Budget {
            public Size {
                if (bytes < 1) throw new IllegalArgumentException("max-size: expected at least 1 byte, found " + bytes);
            }
        }

        /// The relative error.
        record Error(double error) implements Budget {
            public Error {
                if (!(error > 0 && error < 1))
                    throw new IllegalArgumentException("max-error: expected above 0 and below 1, found " + error);
            }
        }
    }

    /// A ΔW as U · diag(s) · Vᵀ.
    record FactoredLayer(Layer layer, TruncatedSvd svd) {
        /// Elements that each rank adds to the file.
        long elementsPerRank() {
            return layer.weightShape().size(0) + layer.fanIn();
        }
    }

    /// A rank for every layer; 0 leaves a layer out.
    /// @param error relative, of all weight changes together
    public record Plan(List<Integer> ranks, long elements, double error) {
        public long bytes() {
            return DType.F16.bytes() * elements;
        }

        /// For messages.
        public String text() {
            return String.format(Locale.ROOT, "rank %d to %d, %.1f MB, error %.1f %%",
                    ranks.stream().min(Comparator.naturalOrder()).orElse(0),
                    ranks.stream().max(Comparator.naturalOrder()).orElse(0), bytes() / 1e6, 100 * error);
        }

        /// The better choice if the error is large.
        public Optional<String> advice() {
            return error <= RECOMMENDED_ERROR ? Optional.empty()
                    : Optional.of(String.format(Locale.ROOT, "The file keeps the adapter's effect only roughly (error "
                            + "%.0f %%). Exact are the formats %s for this program, and %s or %s for others.",
                            100 * error, ExportFormat.ATOMSTUDIO.option(), ExportFormat.DIFF.option(),
                            ExportFormat.MERGED.option()));
        }
    }

    /// Larger files would be as large as the weights of common layers.
    public static final int MAX_RANK = 256;
    private static final double RECOMMENDED_ERROR = 0.1;

    /// Computes the singular vectors of all layers; reads the base model.
    /// @throws Failure.Incompatible if the adapter changes no convolution and no linear layer
    public static LowRankExport of(AdapterFile adapter, ExportBaseModel base, Budget budget) throws Failure {
        int maxRank = budget instanceof Budget.Rank(int rank) ? rank : MAX_RANK;
        DiffusionModel model = base.openMatching(adapter);
        List<FactoredLayer> layers = new ArrayList<>();
        int omitted = 0;
        try (AdapterDeltas deltas = AdapterDeltas.open(model, adapter.toAdapter("", model), base.torch())) {
            for (Layer layer : deltas.layers()) {
                LayerWeights<Tensor> delta = deltas.delta(layer);
                boolean changesWeight = layer.isProjection() && delta.weight().squaredNorm() > 0;
                if (changesWeight) layers.add(new FactoredLayer(layer, deltas.svd(delta.weight(), maxRank)));
                if (delta.bias() != null || !layer.isProjection()) omitted++;
            }
        }
        if (layers.isEmpty())
            throw new Failure.Incompatible("format locon: expected an adapter that changes weights of convolutions or "
                    + "linear layers, found none; export it as " + ExportFormat.DIFF.option());
        return new LowRankExport(adapter, model, List.copyOf(layers), omitted, base.thumbnail());
    }

    /// The ranks within a budget. Of all singular values, those that reduce the error most per element come first.
    /// @throws Failure.Incompatible if the error cannot be reached, or the size is too small for one rank
    public Plan plan(Budget budget) throws Failure {
        int[] ranks = new int[layers.size()];
        if (budget instanceof Budget.Rank(int rank)) {
            for (int i = 0; i < ranks.length; i++) ranks[i] = Math.min(rank, layers.get(i).svd.values().length);
            return plan(ranks);
        }
        record Component(int layer, double gain) {}
        List<Component> components = new ArrayList<>();
        for (int i = 0; i < ranks.length; i++)
            for (double value : layers.get(i).svd.values())
                components.add(new Component(i, value * value / layers.get(i).elementsPerRank()));
        components.sort(Comparator.comparingDouble(component -> -component.gain));
        Plan plan = plan(ranks);
        long elements = 0;
        double dropped = squaredNorm();
        for (Component component : components) {
            if (budget instanceof Budget.Error(double error) && dropped <= error * error * squaredNorm()) break;
            FactoredLayer layer = layers.get(component.layer);
            if (budget instanceof Budget.Size(long bytes)
                    && DType.F16.bytes() * (elements + layer.elementsPerRank()) > bytes)
                continue;
            elements += layer.elementsPerRank();
            double value = layer.svd.values()[ranks[component.layer]++];
            dropped -= value * value;
        }
        plan = plan(ranks);
        if (budget instanceof Budget.Error(double error) && plan.error > error * 1.0001)
            throw new Failure.Incompatible(String.format(Locale.ROOT, "max-error: rank %d leaves an error of %.1f %%; "
                    + "allow more, or export as %s", MAX_RANK, 100 * plan.error, ExportFormat.DIFF.option()));
        if (plan.elements == 0)
            throw new Failure.Incompatible("max-size: too small for one rank of one layer; allow more");
        return plan;
    }

    /// Of the file with every singular value that was computed.
    public long maxBytes() {
        return DType.F16.bytes()
                * layers.stream().mapToLong(layer -> layer.svd.values().length * layer.elementsPerRank()).sum();
    }

    private double squaredNorm() {
        return layers.stream().mapToDouble(layer -> layer.svd.squaredNorm()).sum();
    }

    private Plan plan(int[] ranks) {
        long elements = 0;
        double dropped = 0;
        List<Integer> list = new ArrayList<>();
        for (int i = 0; i < ranks.length; i++) {
            FactoredLayer layer = layers.get(i);
            double kept = 0;
            for (int j = 0; j < ranks[i]; j++) kept += layer.svd.values()[j] * layer.svd.values()[j];
            dropped += Math.max(0, layer.svd.squaredNorm() - kept);
            elements += ranks[i] * layer.elementsPerRank();
            list.add(ranks[i]);
        }
        return new Plan(List.copyOf(list), elements, Math.sqrt(dropped / squaredNorm()));
    }

    /// Writes the file.
    public ExportFormat.ExportResult write(Plan plan, Path file) throws Failure {
        Map<String, Tensor> tensors = new TreeMap<>();
        for (int i = 0; i < layers.size(); i++) put(layers.get(i), plan.ranks.get(i), tensors);
        Map<String, Shape> shapes = new TreeMap<>();
        tensors.forEach((key, tensor) -> shapes.put(key, tensor.shape()));
        ExportMetadata.versionMarker(model, shapes).forEach(tensors::put);
        String dim = Integer.toString(plan.ranks.stream().max(Comparator.naturalOrder()).orElseThrow());
        Map<String, String> metadata = ExportMetadata.of(adapter, Optional.of(model), thumbnail);
        metadata.put("ss_network_module", "networks.lora");
        metadata.put("ss_network_args", "{\"conv_dim\": \"" + dim + "\", \"conv_alpha\": \"" + dim + "\"}");
        metadata.put("ss_network_dim", dim);
        metadata.put("ss_network_alpha", dim);
        metadata.put("ss_training_comment",
                adapter.method().name() + " by Atom Studio, approximated by " + plan.text());
        ExportMetadata.write(file, tensors, metadata, DType.F16);
        return new ExportFormat.ExportResult(CompactExport.elements(tensors), omitted(plan));
    }

    private Optional<String> omitted(Plan plan) {
        List<String> notes = new ArrayList<>();
        plan.advice().ifPresent(notes::add);
        if (omittedLayers > 0)
            notes.add("Changes of biases and norms in " + omittedLayers + " layers are not included.");
        ExportMetadata.noEmbeddingNote(adapter).ifPresent(notes::add);
        return notes.isEmpty() ? Optional.empty() : Optional.of(String.join(" ", notes));
    }

    /// The singular values are shared by both factors, whose elements then have a similar size. α is the rank, so that
    /// every program scales by 1.
    private static void put(FactoredLayer factored, int rank, Map<String, Tensor> tensors) {
        if (rank == 0) return;
        Layer layer = factored.layer;
        String name = KeyConvention.KOHYA.name(layer.component(), layer.path());
        TruncatedSvd svd = factored.svd;
        int stored = svd.values().length;
        boolean isConv = layer.kind() == Layer.Kind.CONV;
        long outputs = layer.weightShape().size(0);
        Shape up = isConv ? Shape.of(outputs, rank, 1, 1) : Shape.of(outputs, rank);
        tensors.put(name + ".lora_up.weight", Tensor.generate(up,
                i -> svd.left().data()[i / rank * stored + i % rank] * Math.sqrt(svd.values()[i % rank])));
        int fanIn = Math.toIntExact(layer.fanIn());
        tensors.put(name + ".lora_down.weight", Tensor.generate(layer.weightShape().with(0, rank),
                i -> svd.right().data()[i] * Math.sqrt(svd.values()[i / fanIn])));
        tensors.put(name + ".alpha", Tensor.filled(Shape.of(), rank));
    }
}
