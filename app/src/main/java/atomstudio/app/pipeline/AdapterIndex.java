package atomstudio.app.pipeline;

import atomstudio.app.runtime.Home;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.run.RunFolder;
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

/// The adapters that a prompt can name: files in the home's adapter folder with its subfolders, and runs. A name is the
/// file name without extension, with or without its folders (`sub/x`). Names are compared, never opened as paths.
final class AdapterIndex {
    private static final Pattern ADAPTER_FILE = Pattern.compile("(?i)\\.(safetensors|pt|bin|ckpt|pth)$");
    /// Of nested folders.
    private static final int MAX_DEPTH = 8;
    private static final int MAX_SUGGESTIONS = 3;
    /// Longer names have no suggestions.
    private static final int MAX_NAME_LENGTH = 200;

    /// By every name; several files may share one.
    private final Map<String, List<Path>> filesByName = new LinkedHashMap<>();

    private AdapterIndex() {}

    static AdapterIndex scan(Home home) throws Failure {
        AdapterIndex index = new AdapterIndex();
        try (Stream<Path> adapterFiles = paths(home.adapters(), MAX_DEPTH);
                Stream<Path> runFolders = paths(home.runs(), 1)) {
            for (Path file : adapterFiles.filter(file -> ADAPTER_FILE.matcher(file.getFileName().toString()).find())
                    .filter(Files::isRegularFile)
                    .sorted()
                    .toList())
                index.addNames(home.adapters(), file);
            for (Path run : runFolders.sorted().toList()) {
                Path adapter = new RunFolder(run).adapter();
                if (Files.isRegularFile(adapter)) index.put(run.getFileName().toString(), adapter);
            }
            return index;
        } catch (IOException e) {
            throw new Failure.Unreadable(home.adapters() + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    private static Stream<Path> paths(Path folder, int depth) throws IOException {
        return Files.isDirectory(folder) ? Files.walk(folder, depth) : Stream.empty();
    }

    private void addNames(Path adapters, Path file) {
        String fileName = file.getFileName().toString();
        String stem = ADAPTER_FILE.matcher(fileName).replaceFirst("");
        String relativePath = adapters.relativize(file).toString().replace('\\', '/');
        String prefix = relativePath.substring(0, relativePath.length() - fileName.length());
        put(stem, file);
        put(fileName, file);
        if (prefix.isEmpty()) return;
        put(prefix + stem, file);
        put(prefix + fileName, file);
    }

    private void put(String name, Path file) {
        filesByName.computeIfAbsent(name.strip(), unused -> new ArrayList<>()).add(file);
    }

    /// All files of a name, sorted by path, adapter files before runs.
    List<Path> find(String name) {
        return filesByName.getOrDefault(name.replace('\\', '/'), List.of());
    }

    /// Names within a small edit distance, nearest first.
    List<String> nearest(String name) {
        if (name.length() > MAX_NAME_LENGTH) return List.of();
        int maxDistance = Math.max(2, name.length() / 3);
        String lowerCaseName = name.toLowerCase(Locale.ROOT);
        record Near(String name, int distance) {}
        return filesByName.keySet()
                .stream()
                .filter(other -> Math.abs(other.length() - name.length()) <= maxDistance)
                .map(other -> new Near(other, editDistance(lowerCaseName, other.toLowerCase(Locale.ROOT))))
                .filter(candidate -> candidate.distance <= maxDistance)
                .sorted(Comparator.comparingInt(Near::distance))
                .limit(MAX_SUGGESTIONS)
                .map(Near::name)
                .toList();
    }

    /// Levenshtein distance. Source: Wagner and Fischer 1974, "The String-to-String Correction Problem".
    private static int editDistance(String a, String b) {
        int[] previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) previous[j] = j;
        for (int i = 1; i <= a.length(); i++) {
            int[] current = new int[b.length() + 1];
            current[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substituted = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                current[j] = Math.min(substituted, Math.min(previous[j], current[j - 1]) + 1);
            }
            previous = current;
        }
        return previous[b.length()];
    }
}
