package atomstudio.app.generate;

import atomstudio.app.jobs.Cancellation;
import atomstudio.app.models.TokenizerFolders;
import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.ImageGenerator;
import atomstudio.app.pipeline.LivePreview;
import atomstudio.app.pipeline.LoadedAdapter;
import atomstudio.app.pipeline.PromptAdapters;
import atomstudio.app.runtime.Devices;
import atomstudio.app.settings.AppSettings;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.ImageMetadata;
import atomstudio.diffusion.image.PngAttachment;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.adapter.FileHashes;
import atomstudio.tuning.measure.ClipEmbedding;
import atomstudio.tuning.measure.ClipMetrics;
import atomstudio.tuning.measure.ClipScores;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Rows by the chosen engine in this process. The model stays open from one row to the next; one row at a time.
public final class EngineRowGenerator implements RowGenerator, RowEvaluator {
    private final BaseModelHashes hashes;
    private final AtomicReference<Consumer<String>> warningSink = new AtomicReference<>(unheard -> {});
    private final TokenizerFolders tokenizerFolders;
    private final Supplier<AppSettings.GenerationPreferences> imageSettings;
    private Optional<Path> previewDecoder = Optional.empty();
    private @Nullable ImageGenerator current;
    private EngineName currentEngine = EngineName.AUTO;

    /// @param tokenizerFolders where to look for the tokenizer of a model that brings none
    /// @param imageSettings how pictures are to be made, asked before every row
    public EngineRowGenerator(BaseModelHashes hashes, TokenizerFolders tokenizerFolders,
            Supplier<AppSettings.GenerationPreferences> imageSettings) {
        this.imageSettings = imageSettings;
        this.hashes = hashes;
        this.tokenizerFolders = tokenizerFolders;
    }

    @Override
    public synchronized void generate(RowRequest request, RowListener listener, Cancellation cancellation)
            throws Failure {
        ImageGenerator maker = openMaker(request.model());
        maker.setSafetyFilter(imageSettings.get().safetyFilter());
        PromptAdapters promptAdapters = PromptAdapters.parse(
                new Generation.PromptPair(request.prompt(), request.settings().negativePrompt().strip()),
                tokenizerFolders.home());
        promptAdapters.warnings().forEach(listener::warning);
        RowAdapters adapters = loadAdapters(request, promptAdapters, maker, listener);
        Optional<String> source = request.settings().source().image().map(ImageSettings.SourceImage::name);
        List<Long> seeds = request.settings().seeds().list();
        warningSink.set(listener::warning);
        usePreviewDecoder(maker, listener);
        request.generation(seeds.getFirst(), adapters.weighted)
                .settings()
                .sampling()
                .warnings(maker.model().scheduler())
                .forEach(listener::warning);
        for (int column = 0; column < seeds.size(); column++) {
            Generation generation = request.generation(seeds.get(column), adapters.weighted)
                    .with(promptAdapters.prompt());
            int steps = maker.stepCount(generation);
            LivePreview preview = new LivePreview(maker, new PreviewSink(column, listener));
            int stepsBefore = column * steps;
            RgbImage image = maker.generate(generation, step -> {
                listener.step(stepsBefore + step.completedSteps(), seeds.size() * steps);
                if (cancellation.isRequested()) return StepListener.Next.STOP;
                if (step.completedSteps() < steps) preview.show(step.denoised());
                return StepListener.Next.CONTINUE;
            }).orElseThrow(CancellationException::new);
            listener.image(column, new GeneratedImage(image,
                    new ImageMetadata(maker.infotext(generation, source), adapters.attachments)));
        }
        // May read the whole model once: not before the first pictures.
        for (LoadedAdapter loaded : adapters.loaded) loaded.baseModelWarning(hashes).ifPresent(listener::warning);
    }

    /// A row's adapters, and what its pictures carry along.
    private record RowAdapters(List<LoadedAdapter> loaded, List<WeightedAdapter> weighted,
            List<PngAttachment> attachments) {
        void add(LoadedAdapter adapter, WeightedAdapter weight) {
            loaded.add(adapter);
            weighted.add(weight);
            adapter.attachment().ifPresent(attachments::add);
        }
    }

    private static RowAdapters loadAdapters(RowRequest request, PromptAdapters promptAdapters, ImageGenerator maker,
            RowListener listener) throws Failure {
        RowAdapters adapters = new RowAdapters(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        for (ImageSettings.SelectedAdapter selected : request.adapters()) {
            for (LoadedAdapter loaded : LoadedAdapter.load(selected.file(), maker.model())) {
                loaded.warnings().forEach(listener::warning);
                loaded.triggerWarning(promptAdapters.prompt()).ifPresent(listener::warning);
                adapters.add(loaded, new WeightedAdapter(loaded.adapter(), selected.weight()));
            }
        }
        for (PromptAdapters.AdapterReference selected : promptAdapters.references()) {
            for (LoadedAdapter loaded : LoadedAdapter.load(selected.file(), maker.model())) {
                loaded.warnings().forEach(listener::warning);
                adapters.add(loaded, selected.weighted(loaded.adapter()));
            }
        }
        return adapters;
    }

    /// Where a picture emerges.
    private record PreviewSink(int column, RowListener listener) implements Consumer<RgbImage> {
        @Override
        public void accept(RgbImage preview) {
            listener.preview(column, preview);
        }
    }

    @Override
    public synchronized Optional<List<ClipScores>> evaluate(EvaluationRequest request, Cancellation cancellation)
            throws Failure {
        Optional<ClipMetrics> optionalRuler = openMaker(request.model()).clipMetrics();
        if (optionalRuler.isEmpty()) return Optional.empty();
        ClipMetrics ruler = optionalRuler.get();
        List<ClipEmbedding> subjectEmbeddings = new ArrayList<>();
        for (Path file : request.subjectPhotos()) {
            cancellation.throwIfRequested();
            subjectEmbeddings.add(ruler.embedImage(ImageFiles.read(file)));
        }
        List<ClipScores> measures = new ArrayList<>();
        for (List<RgbImage> row : request.rows()) {
            List<ClipEmbedding> embeddings = new ArrayList<>();
            for (RgbImage image : row) {
                cancellation.throwIfRequested();
                embeddings.add(ruler.embedImage(image));
            }
            measures.add(
                    ruler.measure(subjectEmbeddings,
                            List.of(new ClipScores.PromptSamples(embeddings, ruler.embedPrompt(PromptAdapters
                                    .parse(new Generation.PromptPair(request.prompt(), ""), tokenizerFolders.home())
                                    .prompt()
                                    .positive())))));
        }
        return Optional.of(measures);
    }

    /// A decoder that is none is no reason to make no pictures.
    private void usePreviewDecoder(ImageGenerator maker, RowListener listener) {
        Optional<Path> wanted = imageSettings.get().previewDecoder();
        if (wanted.equals(previewDecoder)) return;
        try {
            if (wanted.isPresent()) maker.usePreviewDecoder(wanted.get(), Devices.detect().select(Optional.empty()));
            else maker.useDefaultPreview();
            previewDecoder = wanted;
        } catch (Failure e) {
            listener.warning("Previews without the chosen decoder: " + e.getMessage());
        }
    }

    private ImageGenerator openMaker(Path model) throws Failure {
        EngineName engine = imageSettings.get().engine();
        if (current != null && engine == currentEngine && current.model().path().equals(model) && current.isCurrent())
            return current;
        close();
        currentEngine = engine;
        current = ImageGenerator.open(
                DiffusionModel.open(model, ModelLoadOptions.ofTokenizerFolders(tokenizerFolders.folders())),
                Devices.detect().select(Optional.empty()), engine, note -> warningSink.get().accept(note));
        current.computeModelHash(new FileHashes(hashes.cacheFile()));
        return current;
    }

    @Override
    public synchronized void close() {
        if (current != null) current.close();
        current = null;
        previewDecoder = Optional.empty();
    }
}
