package atomstudio.app.compare;

import atomstudio.app.compare.Comparison.ComparisonRow;
import atomstudio.app.jobs.ImageGenerator;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.RgbImage;
import atomstudio.tuning.measure.Embedding;
import atomstudio.tuning.measure.Ruler;
import atomstudio.tuning.measure.Samples;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Measures a comparison's rows by the model's own CLIP.
final class ComparisonMetrics {
    private ComparisonMetrics() {}

    /// The comparison with what each row's pictures measure; as it was where the model has nothing to measure with, and a line why
    /// where what it has is damaged: the pictures are there all the same.
    static Comparison measure(Comparison comparison, List<RgbImage> photos, ImageLookup images, ImageGenerator maker, ComparisonListener listener) throws Failure {
        Optional<Ruler> ruler;
        try {
            ruler = maker.clipMetrics();
        } catch (Failure damaged) {
            listener.onNote("No likeness, diversity or alignment: " + damaged.getMessage());
            return comparison;
        }
        if (ruler.isEmpty()) return comparison;
        List<Embedding> subjectEmbeddings = ruler.get().pictures(photos);
        List<ComparisonRow> rows = new ArrayList<>();
        for (ComparisonRow row : comparison.rows()) rows.add(row.with(ruler.get().measure(subjectEmbeddings, samples(comparison, row, images, ruler.get()))));
        return comparison.with(rows);
    }

    private static List<Samples> samples(Comparison comparison, ComparisonRow row, ImageLookup images, Ruler ruler) throws Failure {
        List<Samples> result = new ArrayList<>();
        for (int prompt = 0; prompt < comparison.prompts().size(); prompt++) {
            List<Embedding> embeddings = new ArrayList<>();
            for (long seed : comparison.seeds()) embeddings.add(ruler.picture(images.load(row, prompt, seed)));
            result.add(new Samples(embeddings, ruler.prompt(comparison.classPrompt(prompt))));
        }
        return result;
    }
}
