package atomstudio.app.pipeline;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.PngAttachment;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.prompt.PromptAttentionParser;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.AdapterSource;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.adapter.EmbeddingFile;
import atomstudio.tuning.adapter.ExternalAdapter;
import atomstudio.tuning.run.RunFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/// An adapter that fits a model.
/// @param savedWeights how strongly it was applied to the picture that it comes from
public record LoadedAdapter(AdapterSource source, Adapter adapter, DiffusionModel model,
        Optional<Infotext.AdapterEntry> savedWeights) {
    /// Reads the adapter of a file, or all that a saved picture carries, and checks that they fit; the model's
    /// weights are not read.
    /// @throws Failure.Incompatible that names every layer that does not fit
    public static List<LoadedAdapter> load(Path file, DiffusionModel model) throws Failure {
        try {
            return read(file, model);
        } catch (Failure.Incompatible e) {
            // What does not fit is told by the model and the adapter's layers; of several adapters only the file says
            // which.
            String message = String.valueOf(e.getMessage());
            throw message.contains(file.toString()) ? e : new Failure.Incompatible(file + ": " + message);
        }
    }

    private static List<LoadedAdapter> read(Path file, DiffusionModel model) throws Failure {
        List<LoadedAdapter> loaded = new ArrayList<>();
        for (AdapterSource.NamedAdapter found : AdapterSource.read(file)) {
            found.source().requireFits(model);
            loaded.add(new LoadedAdapter(found.source(), found.source().toAdapter(name(file, found), model), model,
                    found.recordedWeight()));
        }
        return loaded;
    }

    /// The file's name, or its run's where it still lies in the run's folder.
    private static String name(Path file, AdapterSource.NamedAdapter found) {
        Path folder = file.toAbsolutePath().normalize().getParent();
        boolean inRun = folder != null && file.toAbsolutePath().normalize().equals(new RunFolder(folder).adapter());
        return inRun && new RunFolder(folder).exists() ? folder.getFileName().toString() : found.name();
    }

    /// That the model's weights are not those it was trained on. May read the whole model once: not for the way to
    /// the first picture.
    public Optional<String> baseModelWarning(BaseModelHashes hashes) throws Failure {
        return switch (source) {
            case AdapterFile ownAdapter -> ownAdapter.compatibilityWarning(model.name(), model.trainableLayers(),
                    Optional.of(hashes.hash(model, ownAdapter.components())));
            case EmbeddingFile embedding -> Optional.empty();
            case ExternalAdapter foreign -> Optional.empty();
        };
    }

    /// What of it the model has no place for.
    public List<String> warnings() throws Failure {
        return source.warnings(model);
    }

    /// That a prompt does not say the words that the adapter answers to.
    public Optional<String> triggerWarning(PromptPair prompt) {
        String token = source.triggerWord();
        return switch (source) {
            case AdapterFile ownAdapter -> mentions(prompt.positive(), token) ? Optional.empty()
                    : Optional.of("The prompt does not say \"" + token + "\": the adapter was trained on \""
                            + source.triggerWords() + "\" and may not show");
            case EmbeddingFile embedding ->
                    mentions(prompt.positive(), token) || mentions(prompt.negative(), token) ? Optional.empty()
                            : Optional.of("Neither prompt says \"" + token
                                    + "\", which the embedding stands for: it changes nothing");
            case ExternalAdapter foreign -> Optional.empty();
        };
    }

    private static boolean mentions(String prompt, String token) {
        return read(prompt).toLowerCase(Locale.ROOT).contains(token.toLowerCase(Locale.ROOT));
    }

    /// The prompt without its signs of emphasis: brackets that belong to a word are written `\(` and `\)`.
    private static String read(String prompt) {
        try {
            return PromptAttentionParser.parse(prompt)
                    .stream()
                    .map(segment -> segment instanceof PromptAttentionParser.Segment.Text words ? words.text() : " ")
                    .collect(Collectors.joining());
        } catch (Failure invalid) {
            return prompt; // whoever reads it says so
        }
    }

    /// At the weight that was chosen, or else those of the picture that it comes from, or 1.
    public WeightedAdapter withWeight(OptionalDouble requested) {
        if (requested.isPresent()) return new WeightedAdapter(adapter, requested.getAsDouble());
        return savedWeights.map(saved -> new WeightedAdapter(adapter, saved.weight(), saved.textEncoderWeight()))
                .orElse(new WeightedAdapter(adapter, 1));
    }

    /// What a picture that is made with it carries along, where it is small.
    public Optional<PngAttachment> attachment() {
        return source.toAttachment().map(bytes -> new PngAttachment(adapter.name(), bytes));
    }
}
