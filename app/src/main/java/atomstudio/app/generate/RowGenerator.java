package atomstudio.app.generate;

import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.ImageMetadata;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.SamplingSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Makes the pictures of a row, one a seed. For jobs; looks at the cancellation at every step.
@FunctionalInterface
public interface RowGenerator extends AutoCloseable {
    void generate(RowRequest request, RowListener listener, Cancellation cancellation) throws Failure;

    /// Frees what it keeps open, after the row that is being made.
    @Override
    default void close() {}

    /// Called on the job's thread.
    interface RowListener {
        /// One more step of `of` was finished; of all pictures together.
        void step(int done, int total);

        /// @param column which of the seeds
        void image(int column, GeneratedImage generated);

        /// What a picture of this row looks like so far.
        /// @param column which of the seeds
        default void preview(int column, RgbImage image) {}

        /// Something worth knowing that is no failure: a prompt that was cut, a base that differs.
        void warning(String message);
    }

    /// A picture and how it was made.
    record GeneratedImage(RgbImage image, ImageMetadata metadata) {}

    /// What a row of a gallery is made with. Equal orders give equal pictures.
    /// @param adapter empty: the base model, whatever the strength
    record RowRequest(Path model, String prompt, Optional<Path> adapter, ImageSettings settings) {
        public RowRequest {
            if (adapter.isEmpty()) settings = settings.withAdapterWeight(1);
        }

        /// The row's own adapter and those that every row wears.
        List<ImageSettings.SelectedAdapter> adapters() {
            List<ImageSettings.SelectedAdapter> result = new ArrayList<>();
            adapter.ifPresent(file -> result.add(new ImageSettings.SelectedAdapter(file, settings.adapterWeight())));
            result.addAll(settings.adapters());
            return result;
        }

        /// The picture of a seed.
        Generation generation(long seed, List<WeightedAdapter> adapters) {
            ImageSettings.SamplerSettings samplingSettings = settings.sampling();
            ImageSettings.SourceSettings sourceSettings = settings.source();
            SamplingSettings sampling = new SamplingSettings(samplingSettings.sampler(), samplingSettings.schedule(),
                    samplingSettings.steps(), samplingSettings.eta(), Optional.empty());
            Generation.GenerationSettings generationSettings = new Generation.GenerationSettings(sampling,
                    samplingSettings.guidance(), samplingSettings.clipSkip(), settings.size().width(),
                    settings.size().height());
            Source source = sourceSettings.image()
                    .<Source>map(given -> new Source.FromImage(given.image(), given.mask(),
                            sourceSettings.denoisingStrength()))
                    .orElseGet(Source.FromNoise::new);
            Optional<Hires> hires = sourceSettings.hiresScale().isPresent()
                    ? Optional.of(
                            new Hires(sourceSettings.hiresScale().getAsDouble(), sourceSettings.denoisingStrength()))
                    : Optional.empty();
            return new Generation(new Generation.PromptPair(prompt, settings.negativePrompt().strip()),
                    generationSettings, seed, adapters, source, hires);
        }
    }
}
