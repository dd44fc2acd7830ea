package atomstudio.app.experiment;

import atomstudio.app.jobs.PictureMaker;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Applied;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.PngWriter;
import atomstudio.diffusion.picture.Pictures;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.measure.Embedding;
import atomstudio.tuning.measure.Measures;
import atomstudio.tuning.measure.Ruler;
import atomstudio.tuning.measure.Samples;
import atomstudio.tuning.train.SubjectFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/// Evaluates a model with or without adapters: images of the same prompts and seeds every time, kept in a folder, and their measures. The
/// prompts and seeds are those of docs/experiments.md.
final class Looks {
    private static final List<String> PROMPTS = List.of("a {} in the snow", "a {} on the beach", "a {} in the city", "a {} under the night sky");
    private static final List<Long> SEEDS = List.of(0L, 1L);

    private final PictureMaker maker;
    private final Ruler ruler;
    private final Output output;
    private final BooleanSupplier stop;
    private final Map<Path, List<Embedding>> subjects = new HashMap<>();

    /// Where images go, and how each is sampled.
    record Output(Path folder, Generation.Settings settings) {}

    Looks(PictureMaker maker, Ruler ruler, Output output, BooleanSupplier stop) {
        this.maker = maker;
        this.ruler = ruler;
        this.output = output;
        this.stop = stop;
    }

    PictureMaker maker() {
        return maker;
    }

    /// What the pictures should show.
    /// @param phrase stands for it in prompts
    record Subject(Thing thing, String phrase, Path pictures) {}

    /// @param within where the pictures go, within the folder
    /// @return empty when somebody said stop
    Optional<Measures> at(Subject subject, List<Applied> adapters, String within) throws Failure {
        List<Samples> gallery = new ArrayList<>();
        for (int prompt = 0; prompt < PROMPTS.size(); prompt++) {
            List<Embedding> pictures = new ArrayList<>();
            for (long seed : SEEDS) {
                Generation generation = generation(PROMPTS.get(prompt).replace("{}", subject.phrase), seed, adapters);
                Optional<Picture> picture = maker.make(generation, progress -> stop.getAsBoolean() ? StepListener.Next.STOP : StepListener.Next.CONTINUE);
                if (picture.isEmpty()) return Optional.empty();
                PngWriter.write(output.folder.resolve(within).resolve(prompt + "-" + seed + ".png"), picture.get(), maker.text(generation, Optional.empty()).toPng());
                pictures.add(ruler.picture(picture.get()));
            }
            gallery.add(new Samples(pictures, ruler.prompt(PROMPTS.get(prompt).replace("{}", subject.thing.className()))));
        }
        return Optional.of(ruler.measure(like(subject.pictures), gallery));
    }

    private Generation generation(String prompt, long seed, List<Applied> adapters) {
        return new Generation(new Generation.Prompt(prompt, ""), output.settings, seed, adapters);
    }

    private List<Embedding> like(Path pictures) throws Failure {
        List<Embedding> known = subjects.get(pictures);
        if (known == null) {
            List<Picture> read = new ArrayList<>();
            for (Path file : SubjectFiles.of(pictures).pictures()) read.add(Pictures.read(file));
            subjects.put(pictures, known = ruler.pictures(read));
        }
        return known;
    }
}
