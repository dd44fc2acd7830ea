package atomstudio.diffusion.file;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/// A file in a folder of unpacked libraries that says what a complete one holds: a line for each file with its size, time and check sum (CRC-32).
/// Check sums are computed again only where a time differs, so that looking costs next to nothing at a start.
public final class CompleteMark {
    public static final String NAME = "complete";
    private static final int BUFFER = 1 << 16;

    private record Line(String name, long size, long time, long checksum) {
        static Line of(Path file) throws IOException {
            return new Line(file.getFileName().toString(), Files.size(file), modified(file), sumOf(file));
        }

        static Line parse(String text) {
            String[] parts = text.split(" ", 4);
            return new Line(parts[3], Long.parseLong(parts[0]), Long.parseLong(parts[1]), Long.parseLong(parts[2], 16));
        }

        String text() {
            return size + " " + time + " " + Long.toHexString(checksum) + " " + name;
        }
    }

    private CompleteMark() {}

    /// Marks a folder as complete as it is.
    public static void write(Path folder) throws IOException {
        List<String> lines = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(Files::isRegularFile).filter(file -> !file.getFileName().toString().equals(NAME)).sorted().toList()) lines.add(Line.of(file).text());
        }
        Path beside = Files.createTempFile(folder, "." + NAME, "");
        Files.write(beside, lines);
        Files.move(beside, folder.resolve(NAME), StandardCopyOption.REPLACE_EXISTING);
    }

    /// Whether a folder is marked, and every file is as it was then.
    public static boolean holds(Path folder) {
        try {
            boolean touched = false;
            List<String> lines = Files.readAllLines(folder.resolve(NAME));
            for (String text : lines) {
                Line line = Line.parse(text);
                Path file = folder.resolve(line.name);
                if (!Files.isRegularFile(file) || Files.size(file) != line.size) return false;
                if (modified(file) == line.time) continue;
                if (sumOf(file) != line.checksum) return false;
                touched = true;
            }
            if (touched) renew(folder);
            return !lines.isEmpty();
        } catch (IOException | RuntimeException unreadable) {
            return false;
        }
    }

    private static void renew(Path folder) {
        try {
            write(folder);
        } catch (IOException readOnly) {
            // The check sums are computed again at the next start.
        }
    }

    private static long modified(Path file) throws IOException {
        return Files.getLastModifiedTime(file).toMillis();
    }

    private static long sumOf(Path file) throws IOException {
        CRC32 sum = new CRC32();
        try (InputStream in = Files.newInputStream(file)) {
            byte[] buffer = new byte[BUFFER];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) sum.update(buffer, 0, read);
        }
        return sum.getValue();
    }
}
