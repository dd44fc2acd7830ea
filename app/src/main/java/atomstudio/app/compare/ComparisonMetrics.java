package atomstudio.app.compare;

import atomstudio.app.compare.Comparison.ComparisonRow;
import atomstudio.app.jobs.ImageGenerator;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.RgbImage;
import atomstudio.tuning.measure.ClipEmbedding;
import atomstudio.tuning.measure.ClipMetrics;
import atomstudio.tuning.measure.PromptSamples;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Measures a comparison's rows by the model's own CLIP.
final class ComparisonMetrics {
    private ComparisonMetrics() {}

    /// The comparison with what each row's pictures measure; as it was where the model has nothing to measure with, and a line why
    /// where what it has is damaged: the pictures are there all the same.
    static Comparison measure(Comparison comparison, List<RgbImage> photos, ImageLookup images, ImageGenerator maker, ComparisonListener listener) throws Failure {
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
        for (ComparisonRow row : comparison.rows()) rows.add(row.with(ruler.get().measure(subjectEmbeddings, samples(comparison, row, images, ruler.get()))));
        return comparison.with(rows);
    }

    private static List<PromptSamples> samples(Comparison comparison, ComparisonRow row, ImageLookup images, ClipMetrics ruler) throws Failure {
        List<PromptSamples> result = new ArrayList<>();
        for (int prompt = 0; prompt < comparison.prompts().size(); prompt++) {
            List<ClipEmbedding> embeddings = new ArrayList<>();
            for (long seed : comparison.seeds()) embeddings.add(ruler.embedImage(images.load(row, prompt, seed)));
            result.add(new PromptSamples(embeddings, ruler.embedPrompt(comparison.classPrompt(prompt))));
        }
        return result;
    }
}
