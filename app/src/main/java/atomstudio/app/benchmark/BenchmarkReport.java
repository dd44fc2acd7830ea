package atomstudio.app.benchmark;

import atomstudio.app.benchmark.BenchmarkFolder.RunFiles;
import atomstudio.app.benchmark.BenchmarkFolder.State;
import atomstudio.app.benchmark.BenchmarkPage.RunRow;
import atomstudio.app.benchmark.BenchmarkPage.SubjectSection;
import atomstudio.app.benchmark.RunScores.Metric;
import atomstudio.app.compare.Comparison;
import atomstudio.app.compare.Comparison.ComparisonRow;
import atomstudio.app.compare.Comparison.RowVariant;
import atomstudio.app.compare.ComparisonSheet;
import atomstudio.app.compare.ComparisonText;
import atomstudio.app.runtime.BuildInfo;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.data.PhotoFiles;
import atomstudio.tuning.measure.ClipScores;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// Writes what a benchmark's folder has besides its runs: the tables, a sheet of images per subject, and the page.
public record BenchmarkReport(BenchmarkFolder folder, BenchmarkTable table) {
    private static final int PHOTO_SIDE = 192;
    /// The trigger word that the trainings use.
    private static final String TOKEN = TrainingRequest.DEFAULT_TOKEN;

    /// @return the page
    public Path write() throws Failure {
        BenchmarkCsv csv = new BenchmarkCsv(table);
        BenchmarkFolder.write(file("table.csv"), csv.methods());
        BenchmarkFolder.write(file("runs.csv"), csv.runs());
        BenchmarkFolder.write(file("images.csv"), csv.images());
        BenchmarkFolder.write(file("times.csv"), csv.times());
        List<SubjectSection> subjects = new ArrayList<>();
        for (List<RunScores> runs : BenchmarkTable.groupBy(table.runs(), scores -> scores.run().subject().name())
                .values())
            subjects.add(section(runs));
        BenchmarkPage page = new BenchmarkPage("DreamBooth benchmark of " + table.settings().model().getFileName(),
                table.notes(), table.header(), table.rows().stream().map(table::cells).toList(), subjects, problems(),
                software());
        BenchmarkFolder.write(file("index.html"), page.render());
        return file("index.html");
    }

    private Path file(String name) {
        return folder.folder().resolve(name);
    }

    private static String software() {
        return "Atom Studio " + BuildInfo.current().version();
    }

    private List<String> problems() throws Failure {
        List<String> problems = new ArrayList<>();
        for (BenchmarkRun run : folder.runs()) {
            State state = table.states().get(run.name());
            if (state == State.FAILED)
                problems.add(run.name() + " failed: " + folder.failure(run).orElse("unknown reason"));
            else
                if (state != State.FINISHED) problems.add(run.name() + " is not finished.");
        }
        return problems;
    }

    private SubjectSection section(List<RunScores> runs) throws Failure {
        BenchmarkDataset.Subject subject = runs.getFirst().run().subject();
        List<RgbImage> photos = new ArrayList<>();
        List<String> photoPaths = new ArrayList<>();
        for (Path photo : PhotoFiles.of(subject.photos()).photos()) {
            photos.add(ImageFiles.read(photo).centerSquare(PHOTO_SIDE));
            photoPaths.add("photos/%s/%02d.png".formatted(subject.name(), photoPaths.size()));
            PngWriter.write(file(photoPaths.getLast()), photos.getLast(), Map.of());
        }
        List<String> prompts = table.settings().prompts().of(subject.live());
        String sheet = "sheets/" + subject.name() + ".png";
        PngWriter.write(file(sheet), sheet(runs, prompts, photos), Map.of("Software", software()));
        int shown = Math.min(prompts.size(), BenchmarkPage.MAX_PROMPTS);
        List<RunRow> rows = runs.stream()
                .map(scores -> new RunRow(title(scores.run()), facts(scores), IntStream.range(0, shown)
                        .mapToObj(prompt -> "runs/" + scores.run().name() + "/images/" + RunFiles.imageName(prompt, 0))
                        .toList()))
                .toList();
        return new SubjectSection(subject.name(), subject.className(), photoPaths,
                prompts.subList(0, shown).stream().map(prompt -> prompt.replace("{}", "…")).toList(), rows, sheet);
    }

    /// `lora-4`, or `lora-4, seed 1` beside others of its method.
    private String title(BenchmarkRun run) {
        boolean hasSeeds = table.runs()
                .stream()
                .anyMatch(other -> other.run().method().equals(run.method()) && other.run().seed() != run.seed());
        return run.method() + (hasSeeds ? ", seed " + run.seed() : "");
    }

    private static String facts(RunScores scores) {
        return scores.scores()
                .entrySet()
                .stream()
                .map(entry -> entry.getKey().title() + String.format(Locale.ROOT, " %.2f", entry.getValue().mean()))
                .collect(Collectors.joining(" · "));
    }

    /// The images of a subject, as the sheet of a comparison.
    private RgbImage sheet(List<RunScores> runs, List<String> prompts, List<RgbImage> photos) throws Failure {
        Map<String, BenchmarkRun> byRow = new HashMap<>();
        List<ComparisonRow> rows = new ArrayList<>();
        for (RunScores scores : runs) {
            ComparisonRow row = row(scores);
            rows.add(row);
            byRow.put(row.name(), scores.run());
        }
        BenchmarkSettings settings = table.settings();
        String className = runs.getFirst().run().subject().className();
        Comparison comparison = new Comparison(settings.model().toString(), className, TOKEN, prompts,
                LongStream.range(0, settings.images()).boxed().toList(), rows);
        String details = ComparisonText.samplingDetails(settings.model().getFileName().toString(),
                settings.sampling().generation());
        return ComparisonSheet.draw(new Comparison.ReportContent(comparison, photos, details, software()),
                (row, prompt, seed) -> ImageFiles
                        .read(folder.files(byRow.get(row.name())).image(prompt, Math.toIntExact(seed))));
    }

    private ComparisonRow row(RunScores scores) {
        Function<Metric, OptionalDouble> value = metric -> Optional.ofNullable(scores.scores().get(metric))
                .map(score -> OptionalDouble.of(score.mean()))
                .orElse(OptionalDouble.empty());
        BenchmarkRun run = scores.run();
        Optional<RowVariant> variant = run.isUntuned() ? Optional.empty()
                : Optional.of(new RowVariant(title(run), TOKEN + " " + run.subject().className()));
        return new ComparisonRow(run.isUntuned() ? Comparison.BASE : run.method() + "-" + run.seed(), null,
                scores.result().parameters(), scores.result().bytes(), scores.result().time().trainingSeconds(),
                Optional.of(new ClipScores(scores.result().encoder(), value.apply(Metric.CLIP_I),
                        value.apply(Metric.DIVERSITY), value.apply(Metric.CLIP_T))),
                variant);
    }
}
