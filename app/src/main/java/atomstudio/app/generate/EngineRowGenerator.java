package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.FailureText;
import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.models.TokenizerFolders;
import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.ImageGenerator;
import atomstudio.app.pipeline.LivePreview;
import atomstudio.app.pipeline.LoadedAdapter;
import atomstudio.app.pipeline.PromptAdapters;
import atomstudio.app.provider.DeviceSelection;
import atomstudio.app.runtime.Devices;
import atomstudio.app.settings.AppSettings;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.GenerationBatch;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.file.FileSnapshot;
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
import atomstudio.tuning.measure.ClipSamples;
import atomstudio.tuning.measure.ClipScores;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Generates rows with the selected engine in this process. The model stays open between rows.
public final class EngineRowGenerator implements RowGenerator {
    /// Callers take turns; only [#close] waits.
    private final ReentrantLock inUse = new ReentrantLock();
    private final BaseModelHashes hashes;
    private final AtomicReference<Consumer<String>> warningSink = new AtomicReference<>(ignored -> {});
    private final TokenizerFolders tokenizerFolders;
    private final Supplier<AppSettings.GenerationPreferences> preferences;
    private final DeviceSelection devices;
    private Optional<Path> previewDecoder = Optional.empty();
    private @Nullable ImageGenerator current;
    /// The adapters of the last row: their tensors stay in the engine while another row uses the same objects.
    private Map<Path, CachedAdapter> adapterCache = Map.of();
    private Rendering currentRendering = Rendering.DEFAULT;

    /// @param tokenizerFolders searched for the tokenizer of a model without one
    /// @param preferences for the preview decoder, and the engine of measurements
    public EngineRowGenerator(BaseModelHashes hashes, TokenizerFolders tokenizerFolders,
            Supplier<AppSettings.GenerationPreferences> preferences, DeviceSelection devices) {
        this.preferences = preferences;
        this.devices = devices;
        this.hashes = hashes;
        this.tokenizerFolders = tokenizerFolders;
    }

    @Override
    public void generate(RowRequest request, List<Long> seeds, RowListener listener, Cancellation cancellation)
            throws Failure {
        takeTurn();
        try {
            generateRow(request, seeds, listener, cancellation);
        } finally {
            inUse.unlock();
        }
    }

    private void takeTurn() {
        if (!inUse.tryLock())
            throw new IllegalStateException("the generator is in use by another job; submit both to one queue");
    }

    private void generateRow(RowRequest request, List<Long> seeds, RowListener listener, Cancellation cancellation)
            throws Failure {
        if (seeds.isEmpty()) return;
        warningSink.set(listener::warning);
        ImageGenerator generator = openModel(request.model(), request.rendering());
        generator.setSafetyFilter(request.rendering().safetyFilter());
        PromptAdapters prompt = parsePrompt(request.prompt(), request.settings().negativePrompt().strip());
        prompt.warnings().forEach(listener::warning);
        List<RowAdapter> adapters = loadAdapters(request, prompt, generator, listener);
        usePreviewDecoder(generator, listener);
        List<WeightedAdapter> weighted = adapters.stream().map(RowAdapter::weighted).toList();
        Generation generation = request.generation(seeds.getFirst(), weighted).with(prompt.prompt());
        List<String> samplingWarnings = generation.settings().sampling().warnings(generator.model().scheduler());
        samplingWarnings.forEach(listener::warning);
        Optional<String> source = request.settings().source().image().map(ImageSettings.SourceImage::name);
        List<PngAttachment> attachments = adapters.stream()
                .flatMap(adapter -> adapter.loaded.attachment().stream())
                .toList();
        ImageWriter writer = (seed, image) -> listener.image(seed, new GeneratedImage(image,
                new ImageMetadata(generator.infotext(generation.withSeed(seed), source), attachments)));
        int first = 0;
        for (GenerationBatch batch : generator.batches(generation, seeds)) {
            generateBatch(generator, batch, new BatchProgress(first, seeds.size(), listener, cancellation), writer);
            first += batch.size();
        }
        // Hashing may read the whole model once, so it follows the first images.
        for (RowAdapter adapter : adapters) adapter.loaded.baseModelWarning(hashes).ifPresent(listener::warning);
    }

    private record RowAdapter(LoadedAdapter loaded, WeightedAdapter weighted) {}

    /// Delivers an image of a row.
    private interface ImageWriter {
        void write(long seed, RgbImage image);
    }

    /// @param first index of the batch's first image in the row
    /// @param count images of the row
    private record BatchProgress(int first, int count, RowListener listener, Cancellation cancellation) {}

    private static void generateBatch(ImageGenerator generator, GenerationBatch batch, BatchProgress progress,
            ImageWriter writer) throws Failure {
        int steps = generator.stepCount(batch.generation());
        LivePreview preview = new LivePreview(generator,
                (row, image) -> progress.listener.preview(batch.seeds().get(row), image));
        boolean finished = generator.generate(batch, step -> {
            progress.listener.step(progress.first * steps + batch.size() * step.completedSteps(),
                    progress.count * steps);
            if (progress.cancellation.isRequested()) return StepListener.Next.STOP;
            if (step.completedSteps() < steps) preview.show(step.denoised());
            return StepListener.Next.CONTINUE;
        }, (row, image) -> writer.write(batch.seeds().get(row), image));
        if (!finished) throw new CancellationException();
    }

    private PromptAdapters parsePrompt(String prompt, String negativePrompt) throws Failure {
        return PromptAdapters.parse(new Generation.PromptPair(prompt, negativePrompt), tokenizerFolders.home());
    }

    private record CachedAdapter(FileSnapshot file, List<LoadedAdapter> adapters) {}

    private List<LoadedAdapter> load(Path file, ImageGenerator generator, Map<Path, CachedAdapter> used)
            throws Failure {
        try {
            FileSnapshot now = FileSnapshot.of(file);
            CachedAdapter cached = adapterCache.get(file);
            if (cached == null || !cached.file.equals(now))
                cached = new CachedAdapter(now, LoadedAdapter.load(file, generator.model()));
            used.put(file, cached);
            return cached.adapters;
        } catch (IOException absent) {
            // Reports what is wrong with the file.
            return LoadedAdapter.load(file, generator.model());
        }
    }

    private List<RowAdapter> loadAdapters(RowRequest request, PromptAdapters prompt, ImageGenerator generator,
            RowListener listener) throws Failure {
        List<RowAdapter> adapters = new ArrayList<>();
        Map<Path, CachedAdapter> used = new HashMap<>();
        for (ImageSettings.SelectedAdapter selected : request.adapters()) {
            for (LoadedAdapter loaded : load(selected.file(), generator, used)) {
                loaded.warnings().forEach(listener::warning);
                loaded.triggerWarning(prompt.prompt()).ifPresent(listener::warning);
                adapters.add(new RowAdapter(loaded, new WeightedAdapter(loaded.adapter(), selected.weight())));
            }
        }
        for (PromptAdapters.AdapterReference selected : prompt.references()) {
            for (LoadedAdapter loaded : load(selected.file(), generator, used)) {
                loaded.warnings().forEach(listener::warning);
                adapters.add(new RowAdapter(loaded, selected.weighted(loaded.adapter())));
            }
        }
        adapterCache = used;
        return adapters;
    }

    @Override
    public Optional<List<ClipSamples>> evaluate(EvaluationRequest request, Cancellation cancellation) throws Failure {
        takeTurn();
        try {
            return measure(request, cancellation);
        } finally {
            inUse.unlock();
        }
    }

    private Optional<List<ClipSamples>> measure(EvaluationRequest request, Cancellation cancellation) throws Failure {
        Optional<ClipMetrics> clipMetrics = openModel(request.model(), Rendering.of(preferences.get())).clipMetrics();
        if (clipMetrics.isEmpty()) return Optional.empty();
        ClipMetrics metrics = clipMetrics.get();
        List<ClipEmbedding> photoEmbeddings = new ArrayList<>();
        for (Path file : request.subjectPhotos()) {
            cancellation.throwIfRequested();
            photoEmbeddings.add(metrics.embedImage(ImageFiles.read(file)));
        }
        List<ClipSamples> rows = new ArrayList<>();
        for (List<PromptImages> row : request.rows()) {
            List<ClipScores.PromptSamples> gallery = new ArrayList<>();
            for (PromptImages samples : row) {
                List<ClipEmbedding> embeddings = new ArrayList<>();
                for (GalleryImage image : samples.images()) {
                    cancellation.throwIfRequested();
                    embeddings.add(metrics.embedImage(image.read()));
                }
                String prompt = parsePrompt(samples.prompt(), "").prompt().positive();
                gallery.add(new ClipScores.PromptSamples(embeddings, metrics.embedPrompt(prompt)));
            }
            rows.add(metrics.measureImages(photoEmbeddings, gallery));
        }
        return Optional.of(rows);
    }

    /// An unusable decoder only costs the previews, not the images.
    private void usePreviewDecoder(ImageGenerator generator, RowListener listener) {
        Optional<Path> selected = preferences.get().previewDecoder();
        if (selected.equals(previewDecoder)) return;
        try {
            if (selected.isPresent())
                generator.usePreviewDecoder(selected.get());
            else
                generator.useDefaultPreview();
            previewDecoder = selected;
        } catch (Failure e) {
            listener.warning(text("generate.the-preview-decoder-cannot-be-used", FailureText.of(e)));
        }
    }

    private ImageGenerator openModel(Path model, Rendering rendering) throws Failure {
        if (current != null && rendering.opensAs(currentRendering) && current.model().path().equals(model)
                && current.isCurrent())
            return current;
        closeModel();
        currentRendering = rendering;
        current = ImageGenerator.open(
                DiffusionModel.open(model, ModelLoadOptions.ofTokenizerFolders(tokenizerFolders.folders())),
                device(rendering), rendering.engine(), warning -> warningSink.get().accept(warning));
        current.computeModelHash(new FileHashes(hashes.cacheFile()));
        return current;
    }

    /// The CPU if the device cannot be used.
    private Device device(Rendering rendering) throws Failure {
        String name = rendering.device();
        // PyTorch does not run on the device of a provider, which "auto" may mean.
        if (rendering.engine() == EngineName.TORCH && name.equals(DeviceSelection.AUTO))
            return Devices.detect().select(Optional.empty());
        try {
            return devices.select(name, warning -> warningSink.get().accept(warning));
        } catch (Failure e) {
            warningSink.get().accept(text("generate.the-device-cannot-be-used", name, FailureText.of(e)));
            return Device.CPU;
        }
    }

    /// Waits for the current image.
    @Override
    public void close() {
        inUse.lock();
        try {
            closeModel();
        } finally {
            inUse.unlock();
        }
    }

    private void closeModel() {
        if (current != null) current.close();
        current = null;
        adapterCache = Map.of();
        previewDecoder = Optional.empty();
    }
}
