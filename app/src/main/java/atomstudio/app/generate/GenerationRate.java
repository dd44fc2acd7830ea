package atomstudio.app.generate;

import atomstudio.app.generate.ImageSettings.OutputSize;
import atomstudio.app.pipeline.EngineName;
import atomstudio.diffusion.sample.SamplerName;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;

/// The measured time of images, for an estimate of the next ones. Window's thread.
public final class GenerationRate {
    /// Share of the newest measurement.
    private static final double NEWEST = 0.5;

    private final Map<WorkKind, Double> secondsPerStep = new HashMap<>();

    /// What determines the time of a step, apart from the other load of the machine.
    private record WorkKind(Path model, EngineName engine, String device, OutputSize size, SamplerName sampler,
            boolean isGuided, OptionalDouble hiresScale, double denoisingStrength, boolean hasMask, int adapters) {
        static WorkKind of(RowGenerator.RowRequest request) {
            ImageSettings settings = request.settings();
            ImageSettings.SourceSettings source = settings.source();
            return new WorkKind(request.model(), request.rendering().engine(), request.rendering().device(),
                    settings.size(), settings.sampling().sampler(), settings.sampling().guidance().scale() != 1,
                    source.hiresScale(),
                    source.usesDenoisingStrength() ? source.denoisingStrength() : 1,
                    source.image().flatMap(ImageSettings.SourceImage::mask).isPresent(), request.adapters().size());
        }
    }

    void add(RowGenerator.RowRequest request, double secondsPerImage) {
        if (secondsPerImage <= 0) return;
        double step = secondsPerImage / request.settings().sampling().steps();
        secondsPerStep.merge(WorkKind.of(request), step, (before, now) -> (1 - NEWEST) * before + NEWEST * now);
    }

    /// Empty if no such image was measured yet.
    OptionalDouble seconds(RowGenerator.RowRequest request, int images) {
        Double step = secondsPerStep.get(WorkKind.of(request));
        return step == null ? OptionalDouble.empty()
                : OptionalDouble.of(step * request.settings().sampling().steps() * images);
    }
}
