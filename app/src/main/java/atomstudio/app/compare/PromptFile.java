package atomstudio.app.compare;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.TextFile;
import java.nio.file.Path;
import java.util.List;

/// A UTF-8 text file with one prompt per line; empty lines are skipped.
public final class PromptFile {
    private PromptFile() {}

    /// @throws Failure.Unreadable if it is missing, not UTF-8, or contains no prompt
    public static List<String> read(Path file) throws Failure {
        List<String> prompts = TextFile.lines(file);
        if (prompts.isEmpty())
            throw new Failure.Unreadable(
                    file + ": expected one prompt per line, found none; for example: a {} in the snow");
        return prompts;
    }
}
