package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.LayerRanks;
import atomstudio.tuning.method.LayerSelector;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.torch.ModelDifference;
import atomstudio.tuning.torch.TorchSettings;
import atomstudio.tuning.torch.TruncatedSvd;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;

/// The difference of a fine-tuned model from its base as an adapter: LoRA or LoCon by singular value decomposition, or
/// the filter atoms that explain most of it, by least squares. A layer's explained share is 1 − ‖ΔW − ΔW'‖² / ‖ΔW‖².
public record Extraction(AdapterFile adapter, List<LayerShare> layers, double share) {
    /// @param squaredNorm of the layer's difference
    /// @param explained   of it, 0 to 1
    public record LayerShare(String layer, double squaredNorm, double explained) {}

    /// The form of the adapter.
    public sealed interface Form {
        boolean covers(Layer layer);

        /// LoRA of a rank on layers.
        record LowRank(int rank, LayerSelector layers) implements Form {
            public LowRank {
                if (rank < 1 || rank > LowRankExport.MAX_RANK)
                    throw new IllegalArgumentException("rank: expected 1 to " + LowRankExport.MAX_RANK + ", found "
                            + rank);
            }

            @Override
            public boolean covers(Layer layer) {
                return layer.isProjection() && layers.matches(layer);
            }
        }

        /// Nine filter atoms of every 3×3 convolution.
        record Atoms() implements Form {
            @Override
            public boolean covers(Layer layer) {
                return layer.kind() == Layer.Kind.CONV && layer.kernelSize() == 3;
            }
        }
    }

    /// @param hashes for the base model's hash; reads all of its weights
    /// @throws Failure.Incompatible if the models have different layers, or equal weights in all layers of the form
    public static Extraction of(DiffusionModel base, DiffusionModel tuned, Form form, BaseModelHashes hashes,
            TorchSettings torch) throws Failure {
        Extractor extractor = new Extractor(form, base.trainableLayers());
        try (ModelDifference difference = ModelDifference.open(base, tuned, torch)) {
            for (Layer layer : difference.layers()) extractor.add(difference, layer);
        }
        if (extractor.shares.stream().noneMatch(layer -> layer.explained > 0))
            throw new Failure.Incompatible(tuned.path() + ": expected other weights than those of " + base.path()
                    + " in the layers of the adapter, found equal ones; choose other models or layers");
        MethodSettings settings = extractor.settings();
        AdapterFile unnamed = new AdapterFile(settings, new BaseModel(base.name(), ""), new Trigger("sks", "thing"),
                new AdapterFile.TrainingSummary(0, settings.choice().learningRate(), 0),
                AdaptedLayer.of(settings.method(), base.trainableLayers()), extractor.values);
        AdapterFile adapter = new AdapterFile(settings,
                new BaseModel(base.name(), hashes.hash(base, unnamed.components())), unnamed.trigger(),
                unnamed.training(), unnamed.layers(), extractor.values);
        return new Extraction(adapter, List.copyOf(extractor.shares), extractor.share());
    }

    private static final class Extractor {
        private final Form form;
        private final List<Layer> network;
        private final Map<String, Tensor> values = new HashMap<>();
        private final Map<String, Integer> ranks = new TreeMap<>();
        private final List<LayerShare> shares = new ArrayList<>();
        private boolean hasKernels;

        Extractor(Form form, List<Layer> network) {
            this.form = form;
            this.network = network;
        }

        double share() {
            double total = shares.stream().mapToDouble(LayerShare::squaredNorm).sum();
            return shares.stream().mapToDouble(layer -> layer.squaredNorm * layer.explained).sum() / total;
        }

        MethodSettings settings() {
            return form instanceof Form.Atoms ? MethodSettings.of(MethodName.ATOMS)
                    : new LayerRanks(ranks).settings(hasKernels ? MethodName.LOCON : MethodName.LORA, 1, network);
        }

        void add(ModelDifference difference, Layer layer) throws Failure {
            Tensor weight = difference.weight(layer);
            double norm = weight.squaredNorm();
            double explained = !form.covers(layer) ? 0 : switch (form) {
                case Form.Atoms _ -> atoms(difference.baseWeight(layer), weight, layer);
                case Form.LowRank lowRank -> norm == 0 ? 0
                        : lowRank(difference.svd(weight, lowRank.rank()), layer);
            };
            if (norm > 0) shares.add(new LayerShare(layer.name(), norm, explained));
            if (!layer.hasBias()) return;
            double biasNorm = difference.bias(layer).squaredNorm();
            if (biasNorm > 0) shares.add(new LayerShare(layer.name() + " bias", biasNorm, 0));
        }

        private double lowRank(TruncatedSvd svd, Layer layer) {
            int rank = svd.values().length;
            if (rank == 0) return 0;
            int fanIn = Math.toIntExact(layer.fanIn());
            long outputs = layer.weightShape().size(0);
            values.put(layer.name() + ".A", Tensor.generate(layer.weightShape().with(0, rank),
                    i -> svd.right().data()[i] * Math.sqrt(svd.values()[i / fanIn])));
            values.put(layer.name() + ".B", Tensor.generate(
                    layer.weightShape().rank() == 4 ? Shape.of(outputs, rank, 1, 1) : Shape.of(outputs, rank),
                    i -> svd.left().data()[i] * Math.sqrt(svd.values()[i % rank])));
            ranks.put(layer.name(), rank);
            hasKernels |= layer.kernelSize() > 1;
            double kept = 0;
            for (double value : svd.values()) kept += value * value;
            return Math.min(1, kept / svd.squaredNorm());
        }

        /// M = (FᵀF)⁺ · Fᵀ · ΔF with F = unfold(W), the base weight as rows of kernels.
        private double atoms(Tensor base, Tensor difference, Layer layer) {
            int size = Math.toIntExact(layer.kernelSize() * layer.kernelSize());
            DMatrixRMaj gram = products(base.data(), base.data(), size);
            DMatrixRMaj right = products(base.data(), difference.data(), size);
            DMatrixRMaj inverse = new DMatrixRMaj(size, size), m = new DMatrixRMaj(size, size);
            CommonOps_DDRM.pinv(gram, inverse);
            CommonOps_DDRM.mult(inverse, right, m);
            values.put(layer.name() + ".M", Tensor.generate(Shape.of(size, size), m::get));
            double explained = 0; // ‖F·M‖² = tr(Mᵀ · FᵀΔF) at the least-squares solution
            for (int i = 0; i < size * size; i++) explained += m.get(i) * right.get(i);
            double norm = difference.squaredNorm();
            return norm == 0 ? 0 : Math.clamp(explained / norm, 0, 1);
        }

        /// AᵀB of matrices with rows of `size` elements.
        private static DMatrixRMaj products(float[] a, float[] b, int size) {
            DMatrixRMaj sums = new DMatrixRMaj(size, size);
            for (int row = 0; row < a.length; row += size)
                for (int i = 0; i < size; i++)
                    for (int j = 0; j < size; j++) sums.data[i * size + j] += (double) a[row + i] * b[row + j];
            return sums;
        }
    }
}
