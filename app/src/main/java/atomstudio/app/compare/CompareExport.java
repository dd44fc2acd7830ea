package atomstudio.app.compare;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CompareCells.CompareCell;
import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.compare.CompareTable.TableLine;
import atomstudio.app.compare.ComparedAdapter.BaseModel;
import atomstudio.app.compare.ComparedAdapter.OfFile;
import atomstudio.app.compare.ComparedAdapter.OfRun;
import atomstudio.app.compare.ComparedAdapter.OfTraining;
import atomstudio.app.compare.Comparison.ComparisonRow;
import atomstudio.app.compare.Comparison.RowVariant;
import atomstudio.app.compare.ComparisonRequest.ComparedSubject;
import atomstudio.app.compare.ComparisonRequest.ImageOptions;
import atomstudio.app.dataset.Subject;
import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.generate.ImageSettings;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.ImageMetadata;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.measure.ClipScores;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.TrainingReport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Writes a comparison of the window as the command `compare` does: the same sheet, page and table for the same orders.
/// @param modelName for the line of settings
/// @param shown complete cells; without rows: an X/Y grid
/// @param scores of the rows
record CompareExport(String modelName, CompareMetrics.ShownRows shown, List<Optional<ClipScores>> scores) {
    private CompareTable table() {
        return shown.cells().table();
    }

    private Subject subject() {
        return shown.cells().context().subject();
    }

    /// Writes the folder of a comparison. For job threads.
    /// @throws Failure.Conflict if it holds something else
    Path writePage(Path folder) throws Failure {
        ComparisonFolder output = new ComparisonFolder(folder.toAbsolutePath().normalize());
        Comparison comparison = comparison(output);
        output.requireUsable(new ComparedSubject(comparison.className(), comparison.token()));
        output.write(output.descriptionFile(), comparison.toJson());
        int seeds = comparison.seeds().size();
        for (int row = 0; row < comparison.rows().size(); row++)
            for (int column = 0; column < table().columns().size(); column++)
                copy(image(row, column), output.imageFile(comparison.rows().get(row), column / seeds,
                        comparison.seeds().get(column % seeds)));
        return new ComparisonReport(output, comparison, photos(), details()).write().page();
    }

    /// An image that could not be saved has no file to copy.
    private static void copy(GalleryImage image, Path file) throws Failure {
        if (image.unsaved().isPresent())
            PngWriter.write(file, image.unsaved().get(), new ImageMetadata(image.infotext(), List.of()));
        else
            AtomicFile.write(file, out -> Files.copy(image.file(), out));
    }

    void writeSheet(Path file) throws Failure {
        Comparison comparison = comparison(new ComparisonFolder(file.toAbsolutePath().normalize()));
        ComparisonReport.writeSheet(file, ComparisonReport.content(comparison, photos(), details()),
                (row, prompt, seed) -> image(comparison.rows().indexOf(row),
                        prompt * comparison.seeds().size() + comparison.seeds().indexOf(seed)).read());
    }

    void writeTable(Path file) throws Failure {
        ComparisonFolder output = new ComparisonFolder(file.toAbsolutePath().normalize());
        output.write(file, ComparisonText.csv(comparison(output)));
    }

    private GalleryImage image(int row, int column) {
        GalleryImage image = shown.cells().rows().get(row).get(column).image();
        if (image == null) throw new IllegalStateException("row " + row + ", column " + column + " has no image");
        return image;
    }

    private List<RgbImage> photos() throws Failure {
        List<RgbImage> photos = new ArrayList<>();
        for (Path file : shown.photoFiles()) photos.add(ImageFiles.read(file));
        return photos;
    }

    private String details() {
        CellOrder first = table().cell(0, 0);
        ImageOptions options = new ImageOptions(first.settings().negativePrompt().strip(),
                first.request(shown.cells().context()).generation(first.seed(), List.of()).settings());
        return ComparisonText.samplingDetails(modelName, options);
    }

    /// The comparison as the command describes it.
    private Comparison comparison(ComparisonFolder output) {
        List<CompareCell> columns = shown.cells().rows().getFirst();
        List<Long> seeds = columns.stream().map(cell -> cell.order().seed()).distinct().toList();
        List<String> prompts = new ArrayList<>();
        for (int column = 0; column < columns.size(); column += seeds.size())
            prompts.add(columns.get(column).order().prompt().text("{}"));
        String model = shown.cells().context().model().toAbsolutePath().normalize().toString();
        Comparison plain = new Comparison(model, subject().className(), triggerWord(), prompts, seeds, List.of());
        List<String> captions = table().isGrid() ? table().columns().stream().map(TableLine::title).toList()
                : List.of();
        return new Comparison(plain.model(), plain.className(), plain.token(), prompts, seeds,
                table().isGrid() ? gridRows() : adapterRows(plain, output), captions);
    }

    /// That of the first run, as the command has it, or else of the subject.
    private String triggerWord() {
        for (ComparedAdapter adapter : table().adapters())
            if (adapter instanceof OfRun of) return of.run().spec().phrase().triggerWord();
        return subject().triggerWord();
    }

    private List<ComparisonRow> gridRows() {
        List<ComparisonRow> rows = new ArrayList<>();
        for (int row = 0; row < table().rows().size(); row++)
            rows.add(new ComparisonRow("row-" + (row + 1), null, 0, 0, 0, Optional.empty(),
                    Optional.of(new RowVariant(table().rows().get(row).title(),
                            table().cell(row, 0).adapter().phrase(subject())))));
        return rows;
    }

    private List<ComparisonRow> adapterRows(Comparison comparison, ComparisonFolder output) {
        Map<String, Integer> seen = new HashMap<>();
        List<ComparisonRow> rows = new ArrayList<>();
        for (int i = 0; i < shown.rows().size(); i++) {
            CompareRow row = shown.rows().get(i);
            Optional<ClipScores> metrics = scores.get(i);
            switch (row.adapter()) {
                case BaseModel _ -> rows.add(new ComparisonRow(Comparison.BASE, null, 0, 0, 0, metrics));
                case OfRun of -> {
                    TrainingReport report = of.run().report().orElseThrow();
                    String method = of.run().spec().choices().method().combinedName();
                    ComparisonRow plain = new ComparisonRow(unique(seen, method),
                            output.relativeName(of.run().folder()), report.parameterCount(), report.bytes(),
                            report.seconds(), metrics);
                    rows.add(variant(comparison, row, of, method).map(plain::with).orElse(plain));
                }
                case OfTraining of ->
                        rows.add(new ComparisonRow(unique(seen, of.runName() + "-step-" + of.step()), null,
                                of.parameters(), of.bytes(), 0, metrics,
                                Optional.of(new RowVariant(title(row, of.title()), of.phrase(subject())))));
                case OfFile file -> rows.add(new ComparisonRow(unique(seen, "file-" + fileName(file)), null,
                        file.parameters(), file.bytes(), 0, metrics,
                        Optional.of(new RowVariant(title(row, file.title()), file.phrase(subject())))));
            }
        }
        return rows;
    }

    /// Empty for the result of a run at strength 1, as the command has it.
    private Optional<RowVariant> variant(Comparison comparison, CompareRow row, OfRun of, String method) {
        String phrase = of.phrase(subject());
        if (row.strength() == 1 && of.checkpoint().isEmpty() && phrase.equals(comparison.trainedPhrase()))
            return Optional.empty();
        String title = MethodSettings.title(method) + of.checkpoint().map(one -> " · " + one.title()).orElse("");
        return Optional.of(new RowVariant(title(row, title), phrase));
    }

    private static String title(CompareRow row, String title) {
        return row.strength() == 1 ? title : text("compare.row", title, ImageSettings.number(row.strength()));
    }

    /// A repeated name gets -2 etc., as in the command.
    private static String unique(Map<String, Integer> seen, String name) {
        int count = seen.merge(name, 1, Integer::sum);
        return count == 1 ? name : name + "-" + count;
    }

    private static String fileName(OfFile file) {
        return file.title().replaceAll("[^\\p{L}\\p{N}._-]+", "-");
    }
}
