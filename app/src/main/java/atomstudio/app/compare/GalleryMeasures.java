package atomstudio.app.compare;

import atomstudio.app.compare.Comparison.Row;
import atomstudio.app.jobs.PictureMaker;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.Picture;
import atomstudio.tuning.measure.Embedding;
import atomstudio.tuning.measure.Ruler;
import atomstudio.tuning.measure.Samples;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Measures a comparison's rows by the model's own CLIP.
final class GalleryMeasures {
    private GalleryMeasures() {}

    /// The comparison with what each row's pictures measure; as it was where the model has nothing to measure with, and a line why
    /// where what it has is damaged: the pictures are there all the same.
    static Comparison of(Comparison comparison, List<Picture> subject, Gallery gallery, PictureMaker maker, ComparisonListener listener) throws Failure {
        Optional<Ruler> ruler;
        try {
            ruler = maker.ruler();
        } catch (Failure damaged) {
            listener.note("No likeness, diversity or alignment: " + damaged.getMessage());
            return comparison;
        }
        if (ruler.isEmpty()) return comparison;
        List<Embedding> like = ruler.get().pictures(subject);
        List<Row> rows = new ArrayList<>();
        for (Row row : comparison.rows()) rows.add(row.with(ruler.get().measure(like, samples(comparison, row, gallery, ruler.get()))));
        return comparison.with(rows);
    }

    private static List<Samples> samples(Comparison comparison, Row row, Gallery gallery, Ruler ruler) throws Failure {
        List<Samples> all = new ArrayList<>();
        for (int prompt = 0; prompt < comparison.prompts().size(); prompt++) {
            List<Embedding> pictures = new ArrayList<>();
            for (long seed : comparison.seeds()) pictures.add(ruler.picture(gallery.picture(row, prompt, seed)));
            all.add(new Samples(pictures, ruler.prompt(comparison.plainPrompt(prompt))));
        }
        return all;
    }
}
