package atomstudio.app.compare;

import atomstudio.app.compare.Comparison.Row;
import atomstudio.app.compare.ComparisonListener.Next;
import atomstudio.app.jobs.PictureMaker;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Applied;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.Prompt;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.PngText;
import atomstudio.diffusion.picture.PngWriter;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseHashes;
import atomstudio.tuning.train.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Makes a comparison's pictures, row by row. A picture that is there and says that it was made in exactly the same way is kept.
final class GallerySampler {
    /// Keyword of the text that names the base model's weights: a name alone would not tell a model from its successor.
    private static final String BASE_HASH = "base";

    private final PictureMaker maker;
    private final BaseHashes hashes;
    private final ComparisonRequest request;
    private final ComparisonListener listener;

    GallerySampler(PictureMaker maker, BaseHashes hashes, ComparisonRequest request, ComparisonListener listener) {
        this.maker = maker;
        this.hashes = hashes;
        this.request = request;
        this.listener = listener;
    }

    /// @param runs the rows' runs, without Base
    Next make(Comparison comparison, List<Path> runs, Destination destination) throws Failure {
        String base = hashes.of(maker.model());
        int total = comparison.rows().size() * comparison.prompts().size() * comparison.seeds().size() * steps();
        int done = 0;
        for (int i = 0; i < comparison.rows().size(); i++) {
            Row row = comparison.rows().get(i);
            List<Applied> adapters = row.isBase() ? List.of() : List.of(adapter(row, runs.get(i - 1)));
            for (int prompt = 0; prompt < comparison.prompts().size(); prompt++) {
                String text = comparison.prompt(row, prompt);
                for (long seed : comparison.seeds()) {
                    Generation generation = new Generation(new Prompt(text, request.look().negative()), request.look().settings(), seed, adapters);
                    if (make(generation, destination.picture(row, prompt, seed), base, new Place(done, total)) == Next.STOP) return Next.STOP;
                    done += steps();
                }
            }
        }
        listener.sampling(total, total);
        return Next.CONTINUE;
    }

    /// How many steps came before a picture, and how many there are altogether.
    private record Place(int before, int total) {}

    private Next make(Generation generation, Path file, String base, Place place) throws Failure {
        Map<String, String> text = new LinkedHashMap<>(maker.text(generation, Optional.empty()).toPng());
        text.put(BASE_HASH, base);
        listener.sampling(place.before, place.total);
        if (Files.exists(file) && text.equals(texts(file))) return listener.next();
        Optional<Picture> picture = maker.make(generation, step -> {
            listener.sampling(place.before + Math.min(step.completedSteps(), steps()), place.total);
            return listener.next() == Next.STOP ? StepListener.Next.STOP : StepListener.Next.CONTINUE;
        });
        if (picture.isEmpty()) return Next.STOP;
        PngWriter.write(file, picture.get(), text);
        return Next.CONTINUE;
    }

    private static Map<String, String> texts(Path file) {
        try {
            return PngText.read(file);
        } catch (Failure damaged) {
            return Map.of();
        }
    }

    private Applied adapter(Row row, Path run) throws Failure {
        AdapterFile file = AdapterFile.read(new RunFolder(run).adapter());
        ModelFolder model = maker.model();
        try {
            file.fit(model.name(), model.tunable(), Optional.of(hashes.of(model, file.parts()))).ifPresent(note -> listener.note(run + ": " + note));
            return new Applied(file.adapter(row.name(), model), 1);
        } catch (Failure.Incompatible e) {
            throw new Failure.Incompatible(run + ": " + e.getMessage());
        }
    }

    private int steps() {
        return request.look().settings().sampling().steps();
    }
}
