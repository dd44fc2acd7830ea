package atomstudio.app.jobs;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseHashes;
import atomstudio.tuning.train.RunFolder;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/// An adapter that fits a model.
public record LoadedAdapter(AdapterFile file, Adapter adapter, ModelFolder model, BaseHashes hashes) {
    /// Reads an adapter and checks that it fits; the model's weights are not read.
    /// @throws Failure.Incompatible that names every layer that does not fit
    public static LoadedAdapter load(Path place, ModelFolder model, BaseHashes hashes) throws Failure {
        AdapterFile file = AdapterFile.read(place);
        String name = name(place);
        file.fit(model.name(), model.tunable(), Optional.empty());
        return new LoadedAdapter(file, file.adapter(name, model), model, hashes);
    }

    /// The file's name, or its run's where it still lies in the run's folder.
    private static String name(Path place) {
        Path folder = place.toAbsolutePath().normalize().getParent();
        boolean inRun = folder != null && place.toAbsolutePath().normalize().equals(new RunFolder(folder).adapter());
        return inRun && new RunFolder(folder).exists() ? folder.getFileName().toString() : place.getFileName().toString().replaceFirst("\\.safetensors$", "");
    }

    /// That the model's weights are not those it was trained on. May read the whole model once: not for the way to the first picture.
    public Optional<String> otherWeights() throws Failure {
        return file.fit(model.name(), model.tunable(), Optional.of(hashes.of(model, file.parts())));
    }

    /// That a prompt does not say the words that the adapter answers to.
    public Optional<String> untriggered(String prompt) {
        String token = file.trigger().token();
        if (prompt.toLowerCase(Locale.ROOT).contains(token.toLowerCase(Locale.ROOT))) return Optional.empty();
        return Optional.of("The prompt does not say \"" + token + "\": the adapter was trained on \"" + file.trigger().text() + "\" and may not show");
    }
}
