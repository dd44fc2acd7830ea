package atomstudio.app.compare;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A file of prompts: one a line, empty lines skipped, UTF-8.
public final class PromptFile {
    private static final String BYTE_ORDER_MARK = "\uFEFF";

    private PromptFile() {}

    /// @throws Failure.Unreadable when it is missing, no text, or has no prompt in it
    public static List<String> read(Path file) throws Failure {
        String text;
        try {
            text = Files.readString(file);
        } catch (CharacterCodingException otherEncoding) {
            throw new Failure.Unreadable(file + ": expected UTF-8 text, a prompt a line, found another encoding. Save it as UTF-8.", otherEncoding);
        } catch (IOException missing) {
            throw new Failure.Unreadable(file + ": expected a text file, a prompt a line, found none that can be read (" + missing.getClass().getSimpleName() + ").", missing);
        }
        List<String> prompts = text.replace(BYTE_ORDER_MARK, "").lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
        if (prompts.isEmpty()) throw new Failure.Unreadable(file + ": expected a prompt a line, found none. Write for example: a {} in the snow");
        return prompts;
    }
}
