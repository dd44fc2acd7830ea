package atomstudio.app.compare;

import atomstudio.app.compare.Comparison.ComparisonRow;
import atomstudio.app.compare.ComparisonJob.ComparisonListener.ComparisonControl;
import atomstudio.app.compare.ComparisonRequest.ComparedSubject;
import atomstudio.app.compare.ComparisonRequest.ExistingRuns;
import atomstudio.app.compare.ComparisonRequest.TrainNewRuns;
import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.ImageGenerator;
import atomstudio.app.runtime.BuildInfo;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.ImageFolder;
import atomstudio.diffusion.image.PhotoFolders;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.measure.ClipEmbedding;
import atomstudio.tuning.measure.ClipMetrics;
import atomstudio.tuning.measure.ClipScores;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodName;
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
import java.util.stream.Stream;

/// Makes a comparison: tunes what is to be tuned, samples the same prompts and seeds from Base and every run, draws
/// the sheet and writes the page. Interrupted, it goes on where it stopped when it is started again.
public final class ComparisonJob {
    /// The rows of a comparison that tunes for itself.
    public static final List<MethodSettings> METHODS = Stream
            .of(MethodName.ATOMS_AND_WORD, MethodName.ATOMS_AND_CHANNELS, MethodName.LORA)
            .map(MethodSettings::of)
            .toList();

    private final ComparisonRequest request;
    private final TrainingEnvironment machine;
    private final BaseModelHashes hashes;
    private final ComparisonListener listener;
    private final ComparisonFolder output;

    /// @param hashes of base models, remembered
    public ComparisonJob(ComparisonRequest request, TrainingEnvironment machine, BaseModelHashes hashes,
            ComparisonListener listener) {
        this.request = request;
        this.machine = machine;
        this.hashes = hashes;
        this.listener = listener;
        this.output = new ComparisonFolder(request.outputFolder());
    }

    /// Where the result lies.
    public record ComparisonResult(Comparison comparison, Path sheet, Path page, Path description) {}

    /// @return empty when the listener said stop
    /// @throws Failure.Occupied when the folder holds something else, or a run is going on in another process
    /// @throws Failure.Incompatible when runs disagree or hold other settings
    public Optional<ComparisonResult> run() throws Failure {
        output.requireUsable(request.subject());
        DiffusionModel model = request.model().open();
        Optional<List<Path>> runs = collectRuns();
        if (runs.isEmpty()) return Optional.empty();
        List<ComparisonRow> rows = createRows(runs.get());
        ComparedSubject subject = request.subject();
        Comparison comparison = new Comparison(request.model().path().toAbsolutePath().normalize().toString(),
                subject.className(), subject.triggerWord(), request.prompts(), request.seeds(), rows);
        output.write(output.descriptionFile(), comparison.toJson());
        List<RgbImage> photos = copySubjectPhotos(runs.get().getFirst());
        try (ImageGenerator maker = ImageGenerator.open(model, machine.device(), EngineName.AUTO, listener::onNote)) {
            ComparisonSampler sampler = new ComparisonSampler(maker, hashes, request, listener);
            if (sampler.generate(comparison, runs.get(), output) == ComparisonControl.STOP) return Optional.empty();
            Comparison.ImageLookup images = (row, prompt, seed) -> ImageFiles.read(output.imageFile(row, prompt, seed));
            Comparison measured = ComparisonMetrics.measure(comparison, photos, images, maker, listener);
            output.write(output.descriptionFile(), measured.toJson());
            return Optional.of(writeReport(measured, photos, model));
        }
    }

    /// The rows' run folders; empty when stopped.
    private Optional<List<Path>> collectRuns() throws Failure {
        return switch (request.source()) {
            case ExistingRuns given -> {
                ComparedRuns.read(given.runs(), machine.tokenizerFolders());
                yield Optional.of(given.runs());
            }
            case TrainNewRuns tuned -> trainRuns(tuned);
        };
    }

    private Optional<List<Path>> trainRuns(TrainNewRuns tuned) throws Failure {
        for (PhotoFolders.Entry part : PhotoFolders.of(tuned.photos()).entries())
            ImageFolder.list(part.folder()).skippedMessage().ifPresent(listener::onNote);
        List<Path> runs = new ArrayList<>();
        for (MethodSettings method : METHODS) {
            TrainingRequest trainRequest = TrainingRequest
                    .of(request.model(), tuned.photos(), request.subject().className(), method)
                    .withToken(request.subject().triggerWord());
            if (tuned.steps().isPresent()) trainRequest = trainRequest.withSteps(tuned.steps().getAsInt());
            Path run = output.runFolder(method.combinedName());
            TrainingService.TrainingOutcome outcome = new TrainingService(machine).run(trainRequest, run,
                    () -> listener.next() == ComparisonControl.STOP ? RunCommand.STOP : RunCommand.CONTINUE,
                    event -> listener.onTrainingEvent(method.combinedName(), event));
            switch (outcome) {
                case TrainingService.TrainingOutcome.Finished finished -> runs.add(run);
                case TrainingService.TrainingOutcome.Stopped stopped -> {
                    return Optional.empty();
                }
            }
        }
        return Optional.of(runs);
    }

    /// Base, then the runs by what was trained; a repeat gets -2 and so on.
    private List<ComparisonRow> createRows(List<Path> runs) throws Failure {
        Map<String, Integer> seen = new HashMap<>();
        List<ComparisonRow> rows = new ArrayList<>(List.of(ComparisonRow.base()));
        for (Path run : runs) {
            RunFolder folder = new RunFolder(run);
            String method = folder.info().method().combinedName();
            int count = seen.merge(method, 1, Integer::sum);
            TrainingReport report = folder.trainingReport()
                    .orElseThrow(() -> new Failure.Unreadable(run
                            + ": expected the report of a finished run, found none; tune again with the same settings"));
            rows.add(new ComparisonRow(count == 1 ? method : method + "-" + count, output.relativeName(run),
                    report.parameterCount(), report.bytes(), report.seconds()));
        }
        return rows;
    }

    /// The prepared crops of a run, copied, so that the page finds them wherever the run lies.
    private List<RgbImage> copySubjectPhotos(Path run) throws Failure {
        List<RgbImage> photos = new ArrayList<>();
        for (Path file : ImageFolder.list(new RunFolder(run).photos()).images()) {
            RgbImage photo = ImageFiles.read(file);
            PngWriter.write(output.folder().resolve(subjectPath(photos.size())), photo, Map.of());
            photos.add(photo);
        }
        return photos;
    }

    private static String subjectPath(int index) {
        return "subject/%02d.png".formatted(index);
    }

    private ComparisonResult writeReport(Comparison comparison, List<RgbImage> photos, DiffusionModel model)
            throws Failure {
        Comparison.ReportContent content = new Comparison.ReportContent(comparison, photos,
                ComparisonText.samplingDetails(model.name(), request.options()),
                "Atom Studio " + BuildInfo.current().version());
        RgbImage sheet = ComparisonSheet.draw(content,
                (row, prompt, seed) -> ImageFiles.read(output.imageFile(row, prompt, seed)));
        PngWriter.write(output.sheetFile(), sheet, Map.of("Software", content.software()));
        List<String> links = new ArrayList<>();
        for (int i = 0; i < photos.size(); i++) links.add(subjectPath(i));
        output.write(output.pageFile(), ComparisonPage.render(content, links));
        return new ComparisonResult(comparison, output.sheetFile(), output.pageFile(), output.descriptionFile());
    }

    /// Hears how a comparison goes on, on the thread that works: answer quickly.
    public interface ComparisonListener {
        enum ComparisonControl { CONTINUE, STOP }

        /// A run's event.
        /// @param name the row's
        void onTrainingEvent(String name, TrainingEvent event);

        /// So many of all sampling steps of all pictures are done.
        void onSamplingProgress(int done, int total);

        /// A line for the person.
        void onNote(String line);

        /// Asked at every step.
        ComparisonControl next();
    }

    /// Measures a comparison's rows by the model's own CLIP.
    static final class ComparisonMetrics {
        private ComparisonMetrics() {}

        /// The comparison with what each row's pictures measure; as it was where the model has nothing to measure
        /// with, and a line why where what it has is damaged: the pictures are there all the same.
        static Comparison measure(Comparison comparison, List<RgbImage> photos, Comparison.ImageLookup images,
                ImageGenerator maker, ComparisonListener listener) throws Failure {
            Optional<ClipMetrics> ruler;
            try {
                ruler = maker.clipMetrics();
            } catch (Failure damaged) {
                listener.onNote("No likeness, diversity or alignment: " + damaged.getMessage());
                return comparison;
            }
            if (ruler.isEmpty()) return comparison;
            List<ClipEmbedding> subjectEmbeddings = ruler.get().embedImages(photos);
            List<ComparisonRow> rows = new ArrayList<>();
            for (ComparisonRow row : comparison.rows())
                rows.add(row
                        .with(ruler.get().measure(subjectEmbeddings, samples(comparison, row, images, ruler.get()))));
            return comparison.with(rows);
        }

        private static List<ClipScores.PromptSamples> samples(Comparison comparison, ComparisonRow row,
                Comparison.ImageLookup images, ClipMetrics ruler) throws Failure {
            List<ClipScores.PromptSamples> result = new ArrayList<>();
            for (int prompt = 0; prompt < comparison.prompts().size(); prompt++) {
                List<ClipEmbedding> embeddings = new ArrayList<>();
                for (long seed : comparison.seeds()) embeddings.add(ruler.embedImage(images.load(row, prompt, seed)));
                result.add(new ClipScores.PromptSamples(embeddings, ruler.embedPrompt(comparison.classPrompt(prompt))));
            }
            return result;
        }
    }
}
