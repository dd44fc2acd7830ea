package atomstudio.app.generate;

import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageMetadata;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.measure.ClipSamples;
import atomstudio.tuning.measure.ClipScores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// Generates images of one colour and constant scores, or fails on request.
public final class FakeRowGenerator implements RowGenerator {
    public final List<RowRequest> requests = new ArrayList<>();
    public final List<Long> generatedSeeds = new ArrayList<>();
    public final List<EvaluationRequest> evaluations = new ArrayList<>();
    public IntConsumer onStep = step -> {};
    /// Thrown at the second image.
    public @Nullable Failure failure;
    /// Empty: the model has no image encoder.
    public Optional<String> encoder = Optional.of("image_encoder of Small");
    public @Nullable Failure evaluationFailure;

    @Override
    public void generate(RowRequest request, List<Long> seeds, RowListener listener, Cancellation cancellation)
            throws Failure {
        requests.add(request);
        int steps = request.settings().sampling().steps();
        for (int i = 0; i < seeds.size(); i++) {
            for (int step = 1; step <= steps; step++) {
                onStep.accept(i * steps + step);
                cancellation.throwIfRequested();
                listener.step(i * steps + step, seeds.size() * steps);
            }
            if (failure != null && i == 1) throw failure;
            generatedSeeds.add(seeds.get(i));
            listener.image(seeds.get(i), new GeneratedImage(RgbImage.filled(4, 4, (int) (0x100000 + seeds.get(i))),
                    new ImageMetadata(Infotext.of(request.prompt(), "")
                            .withSteps(steps)
                            .withGuidanceScale(request.settings().sampling().guidance().scale())
                            .withSeed(seeds.get(i)), List.of())));
        }
    }

    @Override
    public Optional<List<ClipSamples>> evaluate(EvaluationRequest request, Cancellation cancellation) throws Failure {
        evaluations.add(request);
        cancellation.throwIfRequested();
        if (evaluationFailure != null) throw evaluationFailure;
        return encoder.map(name -> request.rows()
                .stream()
                .map(row -> new ClipSamples(new ClipScores(name, OptionalDouble.of(0.5), OptionalDouble.of(0.25),
                        OptionalDouble.of(0.125)), List.of(0.45, 0.55), List.of(0.25, 0.25), List.of(0.1, 0.15)))
                .toList());
    }
}
