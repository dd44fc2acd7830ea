package atomstudio.diffusion.image;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A folder name in kohya's layout: `10_sks car` is the number of repeats, the trigger word and the class.
/// Source: kohya-ss/sd-scripts, `config_util.generate_dreambooth_subsets_config_by_subdirs`.
/// @param words after the number: the trigger and the class, or the class alone for class images
public record KohyaFolder(int repeats, List<String> words) {
    /// A larger number is not a repeat count but a year, for example.
    private static final int MAX_REPEATS = 1000;
    private static final Pattern NAME = Pattern.compile("(\\d{1,9})_(.*)");

    public KohyaFolder {
        words = List.copyOf(words);
    }

    /// Parses the folder's name; empty for other names. As in kohya's scripts, folders of 0 repeats are not trained on.
    public static Optional<KohyaFolder> of(Path folder) {
        Path name = folder.toAbsolutePath().normalize().getFileName();
        Matcher matcher = NAME.matcher(name == null ? "" : name.toString());
        if (!matcher.matches() || Integer.parseInt(matcher.group(1)) > MAX_REPEATS) return Optional.empty();
        String text = matcher.group(2).strip();
        return Optional.of(new KohyaFolder(Integer.parseInt(matcher.group(1)),
                text.isEmpty() ? List.of() : List.of(text.split("\\s+"))));
    }

    public Optional<String> triggerWord() {
        return words.stream().findFirst();
    }

    /// The words after the trigger; empty if there is only one word.
    public Optional<String> className() {
        return words.size() < 2 ? Optional.empty() : Optional.of(String.join(" ", words.subList(1, words.size())));
    }

    /// All words, which kohya's scripts use as the caption.
    public String caption() {
        return String.join(" ", words);
    }
}
