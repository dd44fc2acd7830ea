package atomstudio.app.compare;

import atomstudio.app.compare.Comparison.Row;
import atomstudio.app.compare.ComparisonListener.Next;
import atomstudio.app.compare.ComparisonRequest.Given;
import atomstudio.app.compare.ComparisonRequest.Subject;
import atomstudio.app.compare.ComparisonRequest.Tuned;
import atomstudio.app.jobs.Build;
import atomstudio.app.jobs.EngineName;
import atomstudio.app.jobs.PictureMaker;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.PictureFolder;
import atomstudio.diffusion.picture.PictureFolders;
import atomstudio.diffusion.picture.Pictures;
import atomstudio.diffusion.picture.PngWriter;
import atomstudio.tuning.adapter.BaseHashes;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodSettings.Choice;
import atomstudio.tuning.train.Control.Wish;
import atomstudio.tuning.train.Machine;
import atomstudio.tuning.train.Report;
import atomstudio.tuning.train.RunFolder;
import atomstudio.tuning.train.TuneOutcome;
import atomstudio.tuning.train.TuneRequest;
import atomstudio.tuning.train.Tuning;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Makes a comparison: tunes what is to be tuned, samples the same prompts and seeds from Base and every run, draws the sheet and writes
/// the page. Interrupted, it goes on where it stopped when it is started again.
public final class ComparisonJob {
    /// The rows of a comparison that tunes for itself.
    public static final List<MethodSettings> METHODS = Stream.of(Choice.ATOMS_AND_WORD, Choice.ATOMS_AND_CHANNELS, Choice.LORA).map(MethodSettings::of).toList();

    private final ComparisonRequest request;
    private final Machine machine;
    private final BaseHashes hashes;
    private final ComparisonListener listener;
    private final Destination destination;

    /// @param hashes of base models, remembered
    public ComparisonJob(ComparisonRequest request, Machine machine, BaseHashes hashes, ComparisonListener listener) {
        this.request = request;
        this.machine = machine;
        this.hashes = hashes;
        this.listener = listener;
        this.destination = new Destination(request.out());
    }

    /// Where the result lies.
    public record Result(Comparison comparison, Path sheet, Path page, Path description) {}

    /// @return empty when the listener said stop
    /// @throws Failure.Occupied when the folder holds something else, or a run is going on in another process
    /// @throws Failure.Incompatible when runs disagree or hold other settings
    public Optional<Result> run() throws Failure {
        destination.check(request.subject());
        ModelFolder model = request.model().open();
        Optional<List<Path>> runs = runs();
        if (runs.isEmpty()) return Optional.empty();
        List<Row> rows = rows(runs.get());
        Subject subject = request.subject();
        Comparison comparison = new Comparison(request.model().place().toAbsolutePath().normalize().toString(), subject.className(), subject.token(), request.prompts(), request.seeds(), rows);
        destination.write(destination.description(), comparison.toJson());
        List<Picture> pictures = subjectPictures(runs.get().getFirst());
        try (PictureMaker maker = PictureMaker.open(model, machine.device(), EngineName.AUTO, listener::note)) {
            GallerySampler sampler = new GallerySampler(maker, hashes, request, listener);
            if (sampler.make(comparison, runs.get(), destination) == Next.STOP) return Optional.empty();
            Gallery gallery = (row, prompt, seed) -> Pictures.read(destination.picture(row, prompt, seed));
            Comparison measured = GalleryMeasures.of(comparison, pictures, gallery, maker, listener);
            destination.write(destination.description(), measured.toJson());
            return Optional.of(show(measured, pictures, model));
        }
    }

    /// The rows' run folders; empty when stopped.
    private Optional<List<Path>> runs() throws Failure {
        return switch (request.source()) {
            case Given given -> {
                GivenRuns.of(given.runs(), machine.vocabularies());
                yield Optional.of(given.runs());
            }
            case Tuned tuned -> tune(tuned);
        };
    }

    private Optional<List<Path>> tune(Tuned tuned) throws Failure {
        for (PictureFolders.Part part : PictureFolders.of(tuned.pictures()).parts()) PictureFolder.list(part.folder()).skippedLine().ifPresent(listener::note);
        List<Path> runs = new ArrayList<>();
        for (MethodSettings method : METHODS) {
            TuneRequest tune = TuneRequest.of(request.model(), tuned.pictures(), request.subject().className(), method).withToken(request.subject().token());
            if (tuned.steps().isPresent()) tune = tune.withSteps(tuned.steps().getAsInt());
            Path run = destination.run(method.combinedName());
            TuneOutcome outcome = new Tuning(machine).run(tune, run, () -> listener.next() == Next.STOP ? Wish.STOP : Wish.CONTINUE, event -> listener.tuning(method.combinedName(), event));
            switch (outcome) {
                case TuneOutcome.Finished finished -> runs.add(run);
                case TuneOutcome.Stopped stopped -> {
                    return Optional.empty();
                }
            }
        }
        return Optional.of(runs);
    }

    /// Base, then the runs by what was trained; a repeat gets -2 and so on.
    private List<Row> rows(List<Path> runs) throws Failure {
        Map<String, Integer> seen = new HashMap<>();
        List<Row> rows = new ArrayList<>(List.of(Row.base()));
        for (Path run : runs) {
            RunFolder folder = new RunFolder(run);
            String method = folder.info().method().combinedName();
            int times = seen.merge(method, 1, Integer::sum);
            Report report = folder.result().orElseThrow(() -> new Failure.Unreadable(run + ": expected the report of a finished run, found none; tune again with the same settings"));
            rows.add(new Row(times == 1 ? method : method + "-" + times, destination.named(run), report.numbers(), report.bytes(), report.seconds()));
        }
        return rows;
    }

    /// The prepared crops of a run, copied, so that the page finds them wherever the run lies.
    private List<Picture> subjectPictures(Path run) throws Failure {
        List<Picture> pictures = new ArrayList<>();
        for (Path file : PictureFolder.list(new RunFolder(run).pictures()).pictures()) {
            Picture picture = Pictures.read(file);
            PngWriter.write(destination.folder().resolve(subjectName(pictures.size())), picture, Map.of());
            pictures.add(picture);
        }
        return pictures;
    }

    private static String subjectName(int index) {
        return "subject/%02d.png".formatted(index);
    }

    private Result show(Comparison comparison, List<Picture> subject, ModelFolder model) throws Failure {
        Showing showing = new Showing(comparison, subject, Words.details(model.name(), request.look()), "Atom Studio " + Build.current().version());
        Picture sheet = Sheet.draw(showing, (row, prompt, seed) -> Pictures.read(destination.picture(row, prompt, seed)));
        PngWriter.write(destination.sheet(), sheet, Map.of("Software", showing.maker()));
        List<String> links = new ArrayList<>();
        for (int i = 0; i < subject.size(); i++) links.add(subjectName(i));
        destination.write(destination.page(), Page.write(showing, links));
        return new Result(comparison, destination.sheet(), destination.page(), destination.description());
    }
}
