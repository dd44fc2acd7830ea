package atomstudio.diffusion.image;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A folder's name in the layout of kohya's trainers: `10_sks car` is how often its photos are repeated, the trigger
/// word, and the class.
/// Source: kohya-ss/sd-scripts, `config_util.generate_dreambooth_subsets_config_by_subdirs`.
/// @param words what stands after the number: the trigger and the class, or in a folder of class images the class alone
public record KohyaFolder(int repeats, List<String> words) {
    /// More is a year or another number, not a repeat.
    private static final int MAX_REPEATS = 1000;
    private static final Pattern NAME = Pattern.compile("(\\d{1,9})_(.*)");

    public KohyaFolder {
        words = List.copyOf(words);
    }

    /// By the folder's name alone; empty for every other name. Folders with 0 repeats are left out of training, as in
    /// kohya's scripts.
    public static Optional<KohyaFolder> of(Path folder) {
        Path name = folder.toAbsolutePath().normalize().getFileName();
        Matcher matcher = NAME.matcher(name == null ? "" : name.toString());
        if (!matcher.matches() || Integer.parseInt(matcher.group(1)) > MAX_REPEATS) return Optional.empty();
        String text = matcher.group(2).strip();
        return Optional.of(new KohyaFolder(Integer.parseInt(matcher.group(1)),
                text.isEmpty() ? List.of() : List.of(text.split("\\s+"))));
    }

    /// The first word.
    public Optional<String> triggerWord() {
        return words.stream().findFirst();
    }

    /// The words after the trigger; empty where there is only one word.
    public Optional<String> className() {
        return words.size() < 2 ? Optional.empty() : Optional.of(String.join(" ", words.subList(1, words.size())));
    }

    /// All words: what kohya's scripts use as the caption.
    public String caption() {
        return String.join(" ", words);
    }
}
