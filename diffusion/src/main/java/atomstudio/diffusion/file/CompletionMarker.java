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

/// A marker file that lists the files of a completely unpacked folder, one a line: size, modification time, CRC-32 and
/// name. Checksums are recomputed only for files whose modification time changed, so that checking at startup is fast.
public final class CompletionMarker {
    public static final String NAME = "complete";
    private static final int BUFFER = 1 << 16;

    private record FileEntry(String name, long size, long modifiedMillis, long crc32) {
        static FileEntry of(Path file) throws IOException {
            return new FileEntry(file.getFileName().toString(), Files.size(file), CompletionMarker.modifiedMillis(file),
                    CompletionMarker.crc32(file));
        }

        static FileEntry parse(String line) {
            String[] parts = line.split(" ", 4);
            return new FileEntry(parts[3], Long.parseLong(parts[0]), Long.parseLong(parts[1]),
                    Long.parseLong(parts[2], 16));
        }

        String toLine() {
            return size + " " + modifiedMillis + " " + Long.toHexString(crc32) + " " + name;
        }
    }

    private CompletionMarker() {}

    /// Writes the marker for the current content of a folder.
    public static void write(Path folder) throws IOException {
        List<String> lines = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList())
                if (!file.getFileName().toString().equals(NAME)) lines.add(FileEntry.of(file).toLine());
        }
        Path temporary = Files.createTempFile(folder, "." + NAME, "");
        Files.write(temporary, lines);
        Files.move(temporary, folder.resolve(NAME), StandardCopyOption.REPLACE_EXISTING);
    }

    /// Whether a folder has a marker and all listed files are unchanged.
    public static boolean isComplete(Path folder) {
        try {
            boolean timesChanged = false;
            List<String> lines = Files.readAllLines(folder.resolve(NAME));
            for (String line : lines) {
                FileEntry entry = FileEntry.parse(line);
                Path file = folder.resolve(entry.name);
                if (!Files.isRegularFile(file) || Files.size(file) != entry.size) return false;
                if (modifiedMillis(file) == entry.modifiedMillis) continue;
                if (crc32(file) != entry.crc32) return false;
                timesChanged = true;
            }
            if (timesChanged) rewrite(folder);
            return !lines.isEmpty();
        } catch (IOException | RuntimeException unreadable) {
            return false;
        }
    }

    private static void rewrite(Path folder) {
        try {
            write(folder);
        } catch (IOException readOnly) {
            // The checksums are recomputed at the next start.
        }
    }

    private static long modifiedMillis(Path file) throws IOException {
        return Files.getLastModifiedTime(file).toMillis();
    }

    private static long crc32(Path file) throws IOException {
        CRC32 crc = new CRC32();
        try (InputStream in = Files.newInputStream(file)) {
            byte[] buffer = new byte[BUFFER];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) crc.update(buffer, 0, read);
        }
        return crc.getValue();
    }
}
