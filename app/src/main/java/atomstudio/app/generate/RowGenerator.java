package atomstudio.app.generate;

import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.SafetyFilter;
import atomstudio.app.provider.DeviceSelection;
import atomstudio.app.settings.AppSettings;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.ImageMetadata;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.tuning.measure.ClipSamples;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Generates and evaluates rows of images. Both methods run for seconds to minutes: for job threads, one at a time.
public interface RowGenerator extends AutoCloseable {
    /// Generates the images of the given seeds. Checks `cancellation` after every step.
    void generate(RowRequest request, List<Long> seeds, RowListener listener, Cancellation cancellation)
            throws Failure;

    /// Scores rows of images with the model's own encoders.
    /// @return one entry per row, in order; empty if the model has no image encoder
    Optional<List<ClipSamples>> evaluate(EvaluationRequest request, Cancellation cancellation) throws Failure;

    /// Releases the open model, after the current row.
    @Override
    default void close() {}

    /// @param subjectPhotos the reference photos for likeness
    /// @param rows the images of each row by prompt
    record EvaluationRequest(Path model, List<Path> subjectPhotos, List<List<PromptImages>> rows) {}

    /// @param prompt with the class word in place of the subject, for alignment
    record PromptImages(String prompt, List<GalleryImage> images) {}

    /// Progress of a row. Called on the job's thread.
    interface RowListener {
        /// Counts the steps of all images of the row.
        void step(int done, int total);

        void image(long seed, GeneratedImage generated);

        /// The predicted image at the current step.
        default void preview(long seed, RgbImage image) {}

        /// A problem that does not stop generation: a truncated prompt, a different base model.
        void warning(String message);
    }

    record GeneratedImage(RgbImage image, ImageMetadata metadata) {}

    /// What determines images besides model, prompt and settings.
    /// @param device name of the device, or `auto`
    record Rendering(EngineName engine, SafetyFilter safetyFilter, String device) {
        public static final Rendering DEFAULT = new Rendering(EngineName.AUTO, SafetyFilter.ON, DeviceSelection.AUTO);

        public static Rendering of(AppSettings.GenerationPreferences preferences) {
            return new Rendering(preferences.engine(), preferences.safetyFilter(), preferences.device());
        }

        /// Whether a model opened for the other can be used for this.
        boolean opensAs(Rendering other) {
            return engine == other.engine && device.equals(other.device);
        }
    }

    /// Everything that determines the images of a row: equal requests give equal images.
    /// @param adapter empty: the base model; the adapter weight then has no effect
    /// @param files versions of the model and adapter files
    record RowRequest(Path model, String prompt, Optional<Path> adapter, ImageSettings settings,
            Rendering rendering, FileVersions files) {
        public RowRequest {
            if (adapter.isEmpty()) settings = settings.withAdapterWeight(1);
        }

        public RowRequest(Path model, String prompt, Optional<Path> adapter, ImageSettings settings) {
            this(model, prompt, adapter, settings, Rendering.DEFAULT, FileVersions.NONE);
        }

        /// Identifies the image of a seed: equal orders give equal images.
        public String order(long seed) {
            return new ImageOrder(this, seed).key();
        }

        /// The same without the row's own adapter and without those of all rows.
        RowRequest withoutAdapters() {
            return new RowRequest(model, prompt, Optional.empty(), settings.withAdapters(List.of()), rendering, files);
        }

        /// The row's own adapter followed by those of all rows that are switched on.
        List<ImageSettings.SelectedAdapter> adapters() {
            List<ImageSettings.SelectedAdapter> result = new ArrayList<>();
            adapter.ifPresent(file -> result.add(new ImageSettings.SelectedAdapter(file, settings.adapterWeight())));
            result.addAll(settings.activeAdapters());
            return result;
        }

        public Generation generation(long seed, List<WeightedAdapter> adapters) {
            ImageSettings.SamplerSettings samplingSettings = settings.sampling();
            ImageSettings.SourceSettings sourceSettings = settings.source();
            double denoisingStrength = sourceSettings.denoisingStrength();
            SamplingSettings sampling = new SamplingSettings(samplingSettings.sampler(), samplingSettings.schedule(),
                    samplingSettings.steps(), samplingSettings.eta(), Optional.empty());
            Generation.GenerationSettings generationSettings = new Generation.GenerationSettings(sampling,
                    samplingSettings.guidance(), samplingSettings.clipSkip(), settings.size().width(),
                    settings.size().height());
            Source source = sourceSettings.image()
                    .<Source>map(given -> new Source.FromImage(given.image(), given.mask(), denoisingStrength))
                    .orElseGet(Source.FromNoise::new);
            Optional<Hires> hires = sourceSettings.hiresScale().isPresent()
                    ? Optional.of(new Hires(sourceSettings.hiresScale().getAsDouble(), denoisingStrength))
                    : Optional.empty();
            return new Generation(new Generation.PromptPair(prompt, settings.negativePrompt().strip()),
                    generationSettings, seed, adapters, source, hires);
        }
    }
}
