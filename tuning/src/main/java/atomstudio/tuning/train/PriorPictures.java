package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.TextToImage;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.Pictures;
import atomstudio.diffusion.picture.PngWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Pictures of a class as the base model makes them: once for a model, a class and settings, kept in the home folder, and copied into
/// the run, which needs the home no more.
/// @param home of this program; `prior` in it holds a folder for each model, class and settings
record PriorPictures(Path home, RunFolder run, RunInfo info, ModelFolder model, TextToImage maker) {
    /// How many are made: enough for a small set of pictures, few enough to wait for.
    static final int COUNT = 20;

    /// Those of the run, in order; what is missing is copied from the home or made. Empty when told to stop.
    Optional<List<Picture>> get(Gate gate, Journal journal, int step) throws Failure {
        Path kept = home.resolve("prior").resolve(key());
        List<Picture> pictures = new ArrayList<>();
        boolean said = false;
        for (int i = 0; i < COUNT; i++) {
            String name = String.format(Locale.ROOT, "%02d.png", i);
            Path own = run.prior().resolve(name);
            if (!Files.isRegularFile(own)) {
                Path file = kept.resolve(name);
                if (!Files.isRegularFile(file)) {
                    if (!said) journal.note(new TuneEvent.Note(step, "making " + (COUNT - i) + " pictures of \"" + info.subject().className() + "\" with the base model, once; " + kept + " keeps them"));
                    said = true;
                    if (gate.stopBefore(step)) return Optional.empty();
                    Optional<Picture> made = maker.picture(generation(i), gate.sampling());
                    if (made.isEmpty()) {
                        gate.stopBefore(step);
                        return Optional.empty();
                    }
                    PngWriter.write(file, made.get(), Map.of());
                }
                PngWriter.write(own, Pictures.read(file), Map.of());
            }
            pictures.add(Pictures.read(own));
        }
        return Optional.of(pictures);
    }

    private List<String> prompts() {
        return new Captions(info.subject().className(), "").general();
    }

    private Generation generation(int i) throws Failure {
        return new Generation(new Generation.Prompt(prompts().get(i % prompts().size()), ""), Previews.settings(model), i, List.of());
    }

    /// What the pictures depend on.
    private String key() throws Failure {
        String all = info.base().hash() + "\n" + prompts() + "\n" + Previews.settings(model);
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(all.getBytes(StandardCharsets.UTF_8))).substring(0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
