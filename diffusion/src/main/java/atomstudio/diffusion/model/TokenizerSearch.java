package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.prompt.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Where the tokenizer of a model is. A folder brings its own; a single file never does, and public vocabularies of the same size fit.
/// @param model  the model's place
/// @param own    the model's own folder
/// @param named  the folder that a person named
/// @param places where else to look, in this order
record TokenizerSearch(Path model, Optional<Path> own, Optional<Path> named, List<Path> places) {
    private static final String PUBLISHED = "bpe_simple_vocab_16e6.txt.gz";

    static TokenizerSearch of(Path model, ModelChoices choices) {
        List<Path> places = new ArrayList<>();
        Path own = model.resolve("tokenizer");
        if (!Files.isDirectory(model)) {
            Path folder = model.toAbsolutePath().getParent();
            places.add(Sidecar.beside(model, "").resolve("tokenizer"));
            places.add(folder.resolve("tokenizer"));
            places.add(folder);
        }
        places.addAll(choices.vocabularies());
        return new TokenizerSearch(model, Files.isDirectory(own) ? Optional.of(own) : Optional.empty(), choices.tokenizer(), places);
    }

    /// @param size tokens that the text encoder has rows for
    Tokenizer open(int size) throws Failure {
        if (named.isPresent()) return fitting(named.get(), size);
        if (own.isPresent()) return fitting(own.get(), size);
        for (Path place : places) {
            if (!holds(place)) continue;
            Tokenizer found = Tokenizer.open(place);
            if (found.size() == size) return found;
        }
        throw missing(size);
    }

    /// A table may have rows that no token uses, but no token may lack its row. Merges alone say how many tokens there are.
    private Tokenizer fitting(Path folder, int size) throws Failure {
        Tokenizer tokenizer = Tokenizer.open(folder);
        boolean tooLarge = tokenizer.size() > size;
        if (tooLarge || !Tokenizer.hasVocabulary(folder) && tokenizer.size() != size) {
            throw new Failure.Incompatible(folder + ": has " + tokenizer.size() + " tokens, but the text encoder of " + model + " knows " + size + "; "
                    + (tooLarge ? "give the model's own with --tokenizer" : "its list of merges was cut short, or give the model's own with --tokenizer"));
        }
        return tokenizer;
    }

    private static boolean holds(Path folder) {
        if (Tokenizer.hasVocabulary(folder)) return true;
        if (!Files.isDirectory(folder)) return false;
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".txt.gz")).count() == 1;
        } catch (IOException e) {
            return false;
        }
    }

    private Failure missing(int size) {
        String looked = places.stream().map(Path::toString).distinct().collect(Collectors.joining(", "));
        Path home = places.stream().filter(place -> place.endsWith("clip-vocabulary")).findFirst().orElse(Sidecar.beside(model, "").resolveSibling("tokenizer"));
        return new Failure.Unreadable(model + ": no tokenizer of " + size + " tokens was found, so no prompt can be read. "
                + (Files.isDirectory(model) ? "Its folder lacks the folder tokenizer" : "A model in one file brings none") + ": put the public file " + PUBLISHED
                + " (github.com/openai/CLIP, folder clip; 1.3 MB), or vocab.json and merges.txt of any Stable Diffusion 1.x or 2.x, into " + home
                + ", or name their folder with --tokenizer" + (looked.isEmpty() ? "" : ". Looked in " + looked));
    }
}
