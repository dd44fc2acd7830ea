package atomstudio.app.compare;

import atomstudio.app.compare.Comparison.ComparisonRow;
import atomstudio.app.compare.ComparisonRequest.ComparedSubject;
import atomstudio.app.compare.ComparisonRequest.ExistingRuns;
import atomstudio.app.compare.ComparisonRequest.TrainNewRuns;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.ImageGenerator;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.ImageFolder;
import atomstudio.diffusion.image.PhotoFolders;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.measure.ClipEmbedding;
import atomstudio.tuning.measure.ClipMetrics;
import atomstudio.tuning.measure.ClipScores;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.run.RunControl.RunCommand;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.TrainingEvent;
import atomstudio.tuning.run.TrainingReport;
import atomstudio.tuning.train.TrainingService;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;

/// Creates a comparison: trains the runs if required, generates the same prompts and seeds with the base model and
/// every run, draws the sheet and writes the page. An interrupted comparison continues when it is started again.
public final class ComparisonJob {
    /// The methods of a comparison that trains its runs.
    public static final List<MethodSettings> METHODS = Stream
            .of(MethodName.ATOMS_AND_WORD, MethodName.ATOMS_AND_CHANNELS, MethodName.LORA)
            .map(MethodSettings::of)
            .toList();

    private final ComparisonRequest request;
    private final TrainingEnvironment machine;
    private final BaseModelHashes hashes;
    private final ComparisonListener listener;
    private final Cancellation cancellation;
    private final ComparisonFolder output;

    /// @param hashes       cache of base model hashes
    /// @param cancellation checked at every step
    public ComparisonJob(ComparisonRequest request, TrainingEnvironment machine, BaseModelHashes hashes,
            ComparisonListener listener, Cancellation cancellation) {
        this.request = request;
        this.machine = machine;
        this.hashes = hashes;
        this.listener = listener;
        this.cancellation = cancellation;
        this.output = new ComparisonFolder(request.outputFolder());
    }

    /// The comparison and its files.
    public record ComparisonResult(Comparison comparison, Path sheet, Path page, Path description) {}

    /// @return empty if cancelled
    /// @throws Failure.Conflict if the folder holds something else, or another process trains a run
    /// @throws Failure.Incompatible if the runs differ in model, class or trigger word, or have other settings
    public Optional<ComparisonResult> run() throws Failure {
        try {
            return Optional.of(runToEnd());
        } catch (CancellationException cancelled) {
            return Optional.empty();
        }
    }

    private ComparisonResult runToEnd() throws Failure {
        output.requireUsable(request.subject());
        DiffusionModel model = request.model().open();
        List<Path> runs = collectRuns();
        List<ComparisonRow> rows = createRows(runs);
        ComparedSubject subject = request.subject();
        Comparison comparison = new Comparison(request.model().path().toAbsolutePath().normalize().toString(),
                subject.className(), subject.triggerWord(), request.prompts(), request.seeds(), rows);
        output.write(output.descriptionFile(), comparison.toJson());
        List<RgbImage> photos = new ArrayList<>();
        for (Path file : ImageFolder.list(new RunFolder(runs.getFirst()).photos()).images())
            photos.add(ImageFiles.read(file));
        try (ImageGenerator generator = ImageGenerator.open(model, machine.device(), EngineName.AUTO,
                listener::onNote)) {
            new ComparisonSampler(generator, hashes, request, listener, cancellation).generate(comparison, runs,
                    output);
            Comparison.ImageLookup images = (row, prompt, seed) -> ImageFiles.read(output.imageFile(row, prompt, seed));
            Comparison measured = ComparisonMetrics.measure(comparison, photos, images, generator, listener);
            String details = ComparisonText.samplingDetails(model.name(), request.options());
            return new ComparisonReport(output, measured, photos, details).write();
        }
    }

    /// The rows' run folders.
    private List<Path> collectRuns() throws Failure {
        return switch (request.source()) {
            case ExistingRuns existing -> {
                ComparedRuns.read(existing.runs(), machine.tokenizerFolders());
                yield existing.runs();
            }
            case TrainNewRuns training -> trainRuns(training);
        };
    }

    private List<Path> trainRuns(TrainNewRuns training) throws Failure {
        for (PhotoFolders.Entry entry : PhotoFolders.of(training.photos()).entries())
            ImageFolder.list(entry.folder()).skippedMessage().ifPresent(listener::onNote);
        List<Path> runs = new ArrayList<>();
        ModelSize size = ModelSize.of(request.model().open().unetParameterCount());
        for (MethodSettings method : METHODS) {
            TrainingRequest trainRequest = TrainingRequest
                    .of(request.model(), training.photos(), request.subject().className(), method)
                    .withToken(request.subject().triggerWord())
                    .with(TrainingConfig.of(method, size));
            if (training.steps().isPresent()) trainRequest = trainRequest.withSteps(training.steps().getAsInt());
            Path run = output.runFolder(method.combinedName());
            TrainingService.TrainingOutcome outcome = new TrainingService(machine).run(trainRequest, run,
                    () -> cancellation.isRequested() ? RunCommand.STOP : RunCommand.CONTINUE,
                    event -> listener.onTrainingEvent(method.combinedName(), event));
            switch (outcome) {
                case TrainingService.TrainingOutcome.Finished _ -> runs.add(run);
                case TrainingService.TrainingOutcome.Stopped _ -> throw new CancellationException();
            }
        }
        return runs;
    }

    /// The base model, then the runs by method; repeats are named with -2 etc.
    private List<ComparisonRow> createRows(List<Path> runs) throws Failure {
        Map<String, Integer> seen = new HashMap<>();
        List<ComparisonRow> rows = new ArrayList<>(List.of(ComparisonRow.base()));
        for (Path run : runs) {
            RunFolder folder = new RunFolder(run);
            String method = folder.info().method().combinedName();
            int count = seen.merge(method, 1, Integer::sum);
            TrainingReport report = folder.trainingReport()
                    .orElseThrow(() -> new Failure.Unreadable(run
                            + ": expected the report of a finished run, found none; finish it with `studio resume "
                            + run + "`"));
            rows.add(new ComparisonRow(count == 1 ? method : method + "-" + count, output.relativeName(run),
                    report.parameterCount(), report.bytes(), report.seconds()));
        }
        return rows;
    }

    /// Progress of a comparison. Called on the working thread.
    public interface ComparisonListener {
        /// @param name the row's name
        void onTrainingEvent(String name, TrainingEvent event);

        /// @param done of the sampling steps of all images
        void onSamplingProgress(int done, int total);

        /// A note for the user.
        void onNote(String line);
    }

    /// Measures a comparison's rows with the model's CLIP image encoder.
    static final class ComparisonMetrics {
        private ComparisonMetrics() {}

        /// The comparison with metrics; unchanged if the model has no image encoder, and with a note if it is damaged.
        static Comparison measure(Comparison comparison, List<RgbImage> photos, Comparison.ImageLookup images,
                ImageGenerator generator, ComparisonListener listener) throws Failure {
            Optional<ClipMetrics> found;
            try {
                found = generator.clipMetrics();
            } catch (Failure damaged) {
                listener.onNote("No likeness, diversity or alignment: " + damaged.getMessage());
                return comparison;
            }
            if (found.isEmpty()) return comparison;
            ClipMetrics metrics = found.get();
            List<ClipEmbedding> subjectEmbeddings = metrics.embedImages(photos);
            List<ComparisonRow> rows = new ArrayList<>();
            for (ComparisonRow row : comparison.rows())
                rows.add(row.with(metrics.measure(subjectEmbeddings, samples(comparison, row, images, metrics))));
            return comparison.with(rows);
        }

        private static List<ClipScores.PromptSamples> samples(Comparison comparison, ComparisonRow row,
                Comparison.ImageLookup images, ClipMetrics metrics) throws Failure {
            List<ClipScores.PromptSamples> result = new ArrayList<>();
            for (int prompt = 0; prompt < comparison.prompts().size(); prompt++) {
                List<ClipEmbedding> embeddings = new ArrayList<>();
                for (long seed : comparison.seeds()) embeddings.add(metrics.embedImage(images.load(row, prompt, seed)));
                result.add(
                        new ClipScores.PromptSamples(embeddings, metrics.embedPrompt(comparison.classPrompt(prompt))));
            }
            return result;
        }
    }
}
