package atomstudio.app.jobs;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.train.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The adapters that a prompt can name: files of the home's adapters and of the folders within, and runs. A name is the file's without its extension,
/// alone or behind its folders as in `sub/x`; blanks at its ends do not count. Names are compared, never followed as paths.
final class AdapterNames {
    private static final Pattern FILE = Pattern.compile("(?i)\\.(safetensors|pt|bin|ckpt|pth)$");
    /// Folders within folders that are read.
    private static final int DEPTH = 8;
    private static final int MOST_NEAREST = 3;
    /// Longer names are not compared letter by letter.
    private static final int LONGEST = 200;

    /// By every name; several files may have one.
    private final Map<String, List<Path>> files = new LinkedHashMap<>();

    private AdapterNames() {}

    static AdapterNames of(Home home) throws Failure {
        AdapterNames names = new AdapterNames();
        try (Stream<Path> kept = walk(home.adapters(), DEPTH); Stream<Path> runs = walk(home.runs(), 1)) {
            for (Path file : kept.filter(file -> FILE.matcher(file.getFileName().toString()).find()).filter(Files::isRegularFile).sorted().toList()) names.add(home.adapters(), file);
            for (Path run : runs.sorted().toList()) {
                Path adapter = new RunFolder(run).adapter();
                if (Files.isRegularFile(adapter)) names.put(run.getFileName().toString(), adapter);
            }
            return names;
        } catch (IOException e) {
            throw new Failure.Unreadable(home.adapters() + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    private static Stream<Path> walk(Path folder, int depth) throws IOException {
        return Files.isDirectory(folder) ? Files.walk(folder, depth) : Stream.empty();
    }

    private void add(Path adapters, Path file) {
        String full = file.getFileName().toString();
        String stem = FILE.matcher(full).replaceFirst("");
        String folders = adapters.relativize(file).toString().replace('\\', '/');
        String before = folders.substring(0, folders.length() - full.length());
        put(stem, file);
        put(full, file);
        if (before.isEmpty()) return;
        put(before + stem, file);
        put(before + full, file);
    }

    private void put(String name, Path file) {
        files.computeIfAbsent(name.strip(), unused -> new ArrayList<>()).add(file);
    }

    /// All files of a name, in the order of their paths; those of the home before runs.
    List<Path> find(String name) {
        return files.getOrDefault(name.replace('\\', '/'), List.of());
    }

    /// Names that differ in a few letters, nearest first.
    List<String> nearest(String name) {
        if (name.length() > LONGEST) return List.of();
        int most = Math.max(2, name.length() / 3);
        String small = name.toLowerCase(Locale.ROOT);
        record Near(String name, int distance) {}
        return files.keySet().stream().filter(other -> Math.abs(other.length() - name.length()) <= most)
                .map(other -> new Near(other, distance(small, other.toLowerCase(Locale.ROOT)))).filter(near -> near.distance <= most)
                .sorted(Comparator.comparingInt(Near::distance)).limit(MOST_NEAREST).map(Near::name).toList();
    }

    /// Letters to add, remove or change. Source: Wagner and Fischer 1974, "The String-to-String Correction Problem".
    private static int distance(String a, String b) {
        int[] before = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) before[j] = j;
        for (int i = 1; i <= a.length(); i++) {
            int[] now = new int[b.length() + 1];
            now[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int changed = before[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                now[j] = Math.min(changed, Math.min(before[j], now[j - 1]) + 1);
            }
            before = now;
        }
        return before[b.length()];
    }
}
