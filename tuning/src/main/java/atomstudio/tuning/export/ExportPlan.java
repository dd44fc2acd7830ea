package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import java.util.List;
import java.util.Optional;

/// What each format of an adapter would be, before anything is written.
/// @param formats     that can hold the adapter, this program's first
/// @param approximate of the format [ExportFormat#LOCON], if it is among them
/// @param problem     why formats that need the base model are missing; empty if none is
public record ExportPlan(List<FormatSize> formats, Optional<LowRankExport> approximate, Optional<String> problem) {
    /// @param bytes  of the tensors, without the header; empty for an approximate format, whose size is chosen
    /// @param limits what the file would lack for some programs
    public record FormatSize(ExportFormat format, Optional<Long> bytes, List<ExportLimit> limits) {
        public FormatSize {
            limits = List.copyOf(limits);
        }

        /// Without limits.
        public FormatSize(ExportFormat format, Optional<Long> bytes) {
            this(format, bytes, List.of());
        }
    }

    public ExportPlan {
        formats = List.copyOf(formats);
    }

    /// The sizes at once, without the singular vectors of the approximate format. Reads the base model if a format
    /// needs it; without it, for example if its weights were changed since the training, the other formats remain.
    public static ExportPlan sizes(AdapterFile adapter, ExportBaseModel base) {
        List<ExportFormat> formats = ExportFormat.of(adapter.method());
        try {
            boolean readsModel = formats.stream().anyMatch(ExportFormat::needsBaseModel);
            if (!readsModel) return new ExportPlan(sizes(adapter, formats, 0, 0), Optional.empty(), Optional.empty());
            DiffusionModel model = base.openForMerging(adapter);
            base.mergedBefore(adapter, model);
            boolean isOnMerged = adapter.base().merged().isPresent();
            List<ExportFormat> possible = formats.stream()
                    .filter(format -> !isOnMerged || format.isMerged() || !format.needsBaseModel())
                    .toList();
            return new ExportPlan(
                    sizes(adapter, possible, MergedExport.elements(model), MergedExport.repeatedElements(model)),
                    Optional.empty(), Optional.empty());
        } catch (Failure e) {
            return new ExportPlan(
                    sizes(adapter, formats.stream().filter(format -> !format.needsBaseModel()).toList(), 0, 0),
                    Optional.empty(), Optional.of(e.getMessage()));
        }
    }

    private static List<FormatSize> sizes(AdapterFile adapter, List<ExportFormat> formats, long modelElements,
            long repeatedElements) {
        return formats.stream()
                .map(format -> new FormatSize(format, bytes(format, adapter,
                        format == ExportFormat.MERGED_ONNX ? modelElements + repeatedElements : modelElements),
                        limits(format, adapter)))
                .toList();
    }

    /// Whether the approximate format is among these and not computed yet.
    public boolean lacksApproximate() {
        return approximate.isEmpty() && formats.stream().anyMatch(size -> size.format() == ExportFormat.LOCON);
    }

    /// With the singular vectors of all layers for the approximate format, which takes as long as exporting it. Without
    /// that format if they cannot be computed.
    public ExportPlan withApproximate(AdapterFile adapter, ExportBaseModel base) {
        if (!lacksApproximate()) return this;
        try {
            return new ExportPlan(formats,
                    Optional.of(LowRankExport.of(adapter, base,
                            new LowRankExport.Budget.Rank(LowRankExport.MAX_RANK))),
                    problem);
        } catch (Failure e) {
            return new ExportPlan(formats.stream().filter(size -> size.format() != ExportFormat.LOCON).toList(),
                    Optional.empty(), Optional.of(e.getMessage()));
        }
    }

    private static List<ExportLimit> limits(ExportFormat format, AdapterFile adapter) {
        return switch (format) {
            case KOHYA, PEFT, PEFT_FOLDER -> new CompactExport(adapter, format.compactTarget()).limits();
            default -> List.of();
        };
    }

    private static Optional<Long> bytes(ExportFormat format, AdapterFile adapter, long modelElements) {
        return switch (format) {
            case LOCON -> Optional.empty();
            case EMBEDDING ->
                    Optional.of(
                            DType.F32.bytes() * adapter.values().get(AdapterFile.EMBEDDING_ROWS).shape().elements());
            case DIFF -> Optional.of(DType.F16.bytes()
                    * adapter.layers().stream().map(AdaptedLayer::weight).mapToLong(Shape::elements).sum());
            case MERGED, MERGED_DIFFUSERS, MERGED_ONNX -> Optional.of(DType.F16.bytes() * modelElements);
            case KOHYA, PEFT, PEFT_FOLDER -> Optional
                    .of(DType.F32.bytes() * new CompactExport(adapter, format.compactTarget()).elementCount());
            default -> Optional.of(DType.F32.bytes()
                    * adapter.values().values().stream().map(Tensor::shape).mapToLong(Shape::elements).sum());
        };
    }
}
