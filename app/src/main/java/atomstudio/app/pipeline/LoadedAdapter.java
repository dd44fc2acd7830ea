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
/// @param savedWeights its weights in the image that it was read from
public record LoadedAdapter(AdapterSource source, Adapter adapter, DiffusionModel model,
        Optional<Infotext.AdapterEntry> savedWeights) {
    /// Reads the adapter of a file, or all adapters in a saved image, and checks that they fit. Does not read the
    /// model's weights.
    /// @throws Failure.Incompatible with the names of the layers that do not fit
    public static List<LoadedAdapter> load(Path file, DiffusionModel model) throws Failure {
        try {
            return read(file, model);
        } catch (Failure.Incompatible e) {
            // Of several adapters only the file name identifies the one that does not fit.
            String message = String.valueOf(e.getMessage());
            throw message.contains(file.toString()) ? e : new Failure.Incompatible(file + ": " + message);
        }
    }

    private static List<LoadedAdapter> read(Path file, DiffusionModel model) throws Failure {
        List<LoadedAdapter> loaded = new ArrayList<>();
        for (AdapterSource.NamedAdapter found : AdapterSource.read(file)) {
            found.source().requireFits(model);
            Adapter adapter = found.source().toAdapter(name(file, found), model);
            loaded.add(new LoadedAdapter(found.source(), found.fileHash().map(adapter::withFileHash).orElse(adapter),
                    model, found.recordedWeight()));
        }
        return loaded;
    }

    /// The file's name, or the run's for an adapter in its run folder.
    private static String name(Path file, AdapterSource.NamedAdapter found) {
        Path folder = file.toAbsolutePath().normalize().getParent();
        boolean inRun = folder != null && file.toAbsolutePath().normalize().equals(new RunFolder(folder).adapter());
        return inRun && new RunFolder(folder).exists() ? folder.getFileName().toString() : found.name();
    }

    /// A warning if the adapter was trained on other weights. May read the whole model once: call it after generating.
    public Optional<String> baseModelWarning(BaseModelHashes hashes) throws Failure {
        if (!(source instanceof AdapterFile ownAdapter)) return Optional.empty();
        return ownAdapter.compatibilityWarning(model.name(), model.trainableLayers(),
                Optional.of(hashes.hash(model, ownAdapter.components())));
    }

    /// Tensors of the adapter that match no layer of the model.
    public List<String> warnings() throws Failure {
        return source.warnings(model);
    }

    /// A warning if the prompt lacks the trigger word.
    public Optional<String> triggerWarning(PromptPair prompt) {
        String token = source.triggerWord();
        return switch (source) {
            case AdapterFile ownAdapter -> mentions(prompt.positive(), token) ? Optional.empty()
                    : Optional.of("The prompt lacks the trigger word \"" + token + "\": the adapter was trained on \""
                            + source.triggerWords() + "\" and may have little effect");
            case EmbeddingFile embedding ->
                    mentions(prompt.positive(), token) || mentions(prompt.negative(), token) ? Optional.empty()
                            : Optional.of("Neither prompt contains \"" + token
                                    + "\", the word of the embedding: it has no effect");
            case ExternalAdapter foreign -> Optional.empty();
        };
    }

    private static boolean mentions(String prompt, String token) {
        return plainText(prompt).toLowerCase(Locale.ROOT).contains(token.toLowerCase(Locale.ROOT));
    }

    /// The prompt without emphasis syntax; literal brackets are written `\(` and `\)`.
    private static String plainText(String prompt) {
        try {
            return PromptAttentionParser.parse(prompt)
                    .stream()
                    .map(segment -> segment instanceof PromptAttentionParser.Segment.Text words ? words.text() : " ")
                    .collect(Collectors.joining());
        } catch (Failure invalid) {
            return prompt; // the generation reports the error
        }
    }

    /// With the requested weight, else those of the image that it was read from, else 1.
    public WeightedAdapter withWeight(OptionalDouble requested) {
        if (requested.isPresent()) return new WeightedAdapter(adapter, requested.getAsDouble());
        return savedWeights.map(saved -> new WeightedAdapter(adapter, saved.weight(), saved.textEncoderWeight()))
                .orElse(new WeightedAdapter(adapter, 1));
    }

    /// Stored in generated images if the adapter is small.
    public Optional<PngAttachment> attachment() {
        return source.toAttachment().map(bytes -> new PngAttachment(adapter.name(), bytes));
    }
}
