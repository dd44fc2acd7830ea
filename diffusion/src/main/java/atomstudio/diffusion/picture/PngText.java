package atomstudio.diffusion.picture;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/// The texts a PNG file carries, by keyword.
public final class PngText {
    private PngText() {}

    /// All texts, Latin-1 and UTF-8, compressed or not, in the file's order; none is an empty map.
    public static Map<String, String> read(Path file) throws Failure {
        try {
            return PngChunks.texts(file);
        } catch (IOException damaged) {
            throw new Failure.Unreadable(file + ": expected a whole PNG file, found something else (" + damaged.getMessage() + ").", damaged);
        }
    }
}
