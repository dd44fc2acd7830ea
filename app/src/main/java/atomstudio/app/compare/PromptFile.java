package atomstudio.app.compare;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.TextFile;
import java.nio.file.Path;
import java.util.List;

/// A file of prompts: one a line, empty lines skipped, UTF-8.
public final class PromptFile {
    private PromptFile() {}

    /// @throws Failure.Unreadable when it is missing, no text, or has no prompt in it
    public static List<String> read(Path file) throws Failure {
        List<String> prompts = TextFile.lines(file);
        if (prompts.isEmpty())
            throw new Failure.Unreadable(
                    file + ": expected a prompt a line, found none. Write for example: a {} in the snow");
        return prompts;
    }
}
