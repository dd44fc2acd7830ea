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

/// Finds the tokenizer of a model. A model folder has its own; a single file has none, and any public vocabulary of
/// the same size fits.
/// @param bundled the tokenizer folder in the model folder
/// @param explicit the folder that the user chose
/// @param searchFolders other folders to search, in this order
record TokenizerLocator(Path modelPath, Optional<Path> bundled, Optional<Path> explicit, List<Path> searchFolders) {
    private static final String OPENAI_VOCABULARY = "bpe_simple_vocab_16e6.txt.gz";

    static TokenizerLocator of(Path modelPath, ModelLoadOptions options) {
        List<Path> searchFolders = new ArrayList<>();
        Path bundled = modelPath.resolve("tokenizer");
        if (!Files.isDirectory(modelPath)) {
            Path folder = modelPath.toAbsolutePath().getParent();
            searchFolders.add(Sidecar.sibling(modelPath, "").resolve("tokenizer"));
            searchFolders.add(folder.resolve("tokenizer"));
            searchFolders.add(folder);
        }
        searchFolders.addAll(options.tokenizerFolders());
        return new TokenizerLocator(modelPath, Files.isDirectory(bundled) ? Optional.of(bundled) : Optional.empty(),
                options.tokenizer(), searchFolders);
    }

    /// @param vocabularySize rows of the text encoder's token embedding
    Tokenizer open(int vocabularySize) throws Failure {
        if (explicit.isPresent()) return openMatching(explicit.get(), vocabularySize);
        if (bundled.isPresent()) return openMatching(bundled.get(), vocabularySize);
        for (Path candidate : searchFolders) {
            if (!hasTokenizer(candidate)) continue;
            Tokenizer found = Tokenizer.open(candidate);
            if (found.vocabularySize() == vocabularySize) return found;
        }
        throw notFound(vocabularySize);
    }

    /// The token embedding may have unused rows, but every token needs a row. Without an explicit vocabulary the sizes
    /// must be equal.
    private Tokenizer openMatching(Path folder, int vocabularySize) throws Failure {
        Tokenizer tokenizer = Tokenizer.open(folder);
        boolean isTooLarge = tokenizer.vocabularySize() > vocabularySize;
        if (isTooLarge || !Tokenizer.hasVocabulary(folder) && tokenizer.vocabularySize() != vocabularySize) {
            throw new Failure.Incompatible(folder + ": has " + tokenizer.vocabularySize()
                    + " tokens, but the text encoder of " + modelPath + " has " + vocabularySize + "; "
                    + (isTooLarge ? "it is another model's tokenizer" : "its list of merges is truncated"),
                    Failure.Remedy.GIVE_TOKENIZER);
        }
        return tokenizer;
    }

    private static boolean hasTokenizer(Path folder) {
        if (Tokenizer.hasVocabulary(folder)) return true;
        if (!Files.isDirectory(folder)) return false;
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".txt.gz")).count() == 1;
        } catch (IOException e) {
            return false;
        }
    }

    private Failure notFound(int vocabularySize) {
        String searched = searchFolders.stream().map(Path::toString).distinct().collect(Collectors.joining(", "));
        Path suggestedFolder = searchFolders.stream()
                .filter(candidate -> candidate.endsWith("clip-vocabulary"))
                .findFirst()
                .orElse(Sidecar.sibling(modelPath, "").resolveSibling("tokenizer"));
        return new Failure.Unreadable(modelPath + ": no tokenizer of " + vocabularySize
                + " tokens was found, so prompts cannot be encoded. "
                + (Files.isDirectory(modelPath) ? "Its folder has no subfolder tokenizer"
                        : "A model in one file contains none")
                + ": put the public file " + OPENAI_VOCABULARY
                + " (github.com/openai/CLIP, folder clip; 1.3 MB), or vocab.json and merges.txt of any "
                + "Stable Diffusion 1.x or 2.x, into " + suggestedFolder
                + (searched.isEmpty() ? "" : ". Searched folders: " + searched), Failure.Remedy.GIVE_TOKENIZER);
    }
}
