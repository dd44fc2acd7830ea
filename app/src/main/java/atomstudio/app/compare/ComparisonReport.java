package atomstudio.app.compare;

import atomstudio.app.compare.Comparison.ImageLookup;
import atomstudio.app.compare.Comparison.ReportContent;
import atomstudio.app.runtime.BuildInfo;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Writes what a comparison's folder has besides the images: description, sheet, page, table and the subject's photos.
/// @param photos  the run's prepared photos; copied, since the run may be elsewhere
/// @param details one line: model, sampler, steps, guidance, size
record ComparisonReport(ComparisonFolder output, Comparison comparison, List<RgbImage> photos, String details) {
    ComparisonReport {
        photos = List.copyOf(photos);
    }

    ComparisonJob.ComparisonResult write() throws Failure {
        output.write(output.descriptionFile(), comparison.toJson());
        List<String> links = new ArrayList<>();
        for (RgbImage photo : photos) {
            links.add("subject/%02d.png".formatted(links.size()));
            PngWriter.write(output.folder().resolve(links.getLast()), photo, Map.of());
        }
        ReportContent content = content(comparison, photos, details);
        writeSheet(output.sheetFile(), content,
                (row, prompt, seed) -> ImageFiles.read(output.imageFile(row, prompt, seed)));
        output.write(output.pageFile(), ComparisonPage.render(content, links));
        output.write(output.scoresFile(), ComparisonText.csv(comparison));
        return new ComparisonJob.ComparisonResult(comparison, output.sheetFile(), output.pageFile(),
                output.descriptionFile());
    }

    static ReportContent content(Comparison comparison, List<RgbImage> photos, String details) {
        return new ReportContent(comparison, photos, details, "Atom Studio " + BuildInfo.current().version());
    }

    static void writeSheet(Path file, ReportContent content, ImageLookup images) throws Failure {
        PngWriter.write(file, ComparisonSheet.draw(content, images), Map.of("Software", content.software()));
    }
}
