package atomstudio.app.trash;

import static atomstudio.app.text.Texts.text;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The trash folder of the home: an entry is a folder with the deleted files and `trash.json`, which names their
/// origins. Nothing leaves it by itself. For job threads.
public final class Trash {
    private static final Logger log = LoggerFactory.getLogger(Trash.class);
    private static final String FILE = "trash.json";
    private static final DateTimeFormatter NAME = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss")
            .withZone(ZoneOffset.UTC);

    private final Path folder;
    private final InstantSource clock;

    /// @param folder in the home; only files of the home are moved to it
    public Trash(Path folder, InstantSource clock) {
        this.folder = folder.toAbsolutePath().normalize();
        this.clock = clock;
    }

    /// Files that were deleted together.
    /// @param title names what was deleted: `run car-lora`
    /// @param origins where the files were; file `i` lies in the entry's subfolder `i`
    public record Entry(Path folder, String title, Instant deleted, List<Path> origins) {
        public Entry {
            origins = List.copyOf(origins);
        }

        private Path file(int index) {
            return folder.resolve(String.valueOf(index)).resolve(origins.get(index).getFileName().toString());
        }
    }

    public Path folder() {
        return folder;
    }

    /// Moves files and folders of the home to the trash. If one cannot be moved, all stay.
    public Entry move(String title, List<Path> files) throws Failure {
        List<Path> origins = files.stream().map(file -> file.toAbsolutePath().normalize()).toList();
        for (Path file : origins)
            if (!file.startsWith(home()) || file.equals(home()) || folder.startsWith(file))
                throw new IllegalArgumentException(file + ": expected a file in " + home());
        Entry entry = new Entry(newFolder(), title, clock.instant(), origins);
        // Written first: a file in the trash always has an origin.
        write(entry);
        int moved = 0;
        try {
            for (; moved < origins.size(); moved++) {
                StudioFolder.createDirectories(entry.file(moved).getParent());
                move(origins.get(moved), entry.file(moved));
            }
            return entry;
        } catch (IOException e) {
            putBack(entry, moved);
            throw new Failure.Unwritable(text("trash.cannot-be-moved-to-the-trash", origins.get(moved), e.getMessage()),
                    e);
        }
    }

    private static void putBack(Entry entry, int count) {
        try {
            for (int i = 0; i < count; i++) move(entry.file(i), entry.origins.get(i));
            deleteTree(entry.folder);
        } catch (IOException stays) {
            log.warn("{} could not be put back", entry.folder, stays);
        }
    }

    /// Moves an entry's files back to where they were. A folder whose name is taken gets a number.
    /// @return the restored files
    /// @throws Failure.Conflict if a file exists again; nothing is moved
    public List<Path> restore(Entry entry) throws Failure {
        List<Path> targets = new ArrayList<>();
        for (int i = 0; i < entry.origins.size(); i++) {
            Path target = entry.origins.get(i);
            if (Files.isDirectory(entry.file(i))) target = freeName(target);
            else
                if (Files.exists(target) && Files.exists(entry.file(i)))
                    throw new Failure.Conflict(text("trash.the-stays-in-the-trash-exists", entry.title, target));
            targets.add(target);
        }
        try {
            for (int i = 0; i < targets.size(); i++) {
                // After a crash while deleting, a file may still be in its place.
                if (!Files.exists(entry.file(i))) continue;
                StudioFolder.createDirectories(targets.get(i).getParent());
                move(entry.file(i), targets.get(i));
            }
            deleteTree(entry.folder);
            return targets;
        } catch (IOException e) {
            throw new Failure.Unwritable(text("trash.the-cannot-be-restored", entry.title, e.getMessage()), e);
        }
    }

    /// All entries, newest first. Damaged ones are skipped.
    public List<Entry> list() throws Failure {
        if (!Files.isDirectory(folder)) return List.of();
        List<Entry> entries = new ArrayList<>();
        try (Stream<Path> folders = Files.list(folder)) {
            for (Path path : folders.filter(path -> Files.isRegularFile(path.resolve(FILE))).toList()) {
                try {
                    entries.add(read(path));
                } catch (Failure damaged) {
                    log.warn("skipped damaged entry {}", path, damaged);
                }
            }
        } catch (IOException e) {
            throw new Failure.Unreadable(text("trash.the-trash-cannot-be-listed", folder, e.getMessage()), e);
        }
        entries.sort(Comparator.comparing(Entry::deleted).thenComparing(Entry::folder).reversed());
        return entries;
    }

    /// Size of all entries, in bytes.
    public long size() throws Failure {
        if (!Files.isDirectory(folder)) return 0;
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
        } catch (IOException e) {
            throw new Failure.Unreadable(text("trash.the-trash-cannot-be-listed", folder, e.getMessage()), e);
        }
    }

    /// Deletes all entries permanently.
    public void empty() throws Failure {
        if (!Files.isDirectory(folder)) return;
        try {
            deleteTree(folder);
        } catch (IOException e) {
            throw new Failure.Unwritable(text("trash.the-trash-cannot-be-emptied", folder, e.getMessage()), e);
        }
    }

    private Path home() {
        return folder.getParent();
    }

    private Path newFolder() {
        return freeName(folder.resolve(NAME.format(clock.instant())));
    }

    private static Path freeName(Path path) {
        Path free = path;
        for (int n = 2; Files.exists(free); n++) free = path.resolveSibling(path.getFileName() + "-" + n);
        return free;
    }

    private void write(Entry entry) throws Failure {
        JsonObject json = new JsonObject();
        json.addProperty("format", 1);
        json.addProperty("title", entry.title);
        json.addProperty("deleted", entry.deleted.toString());
        JsonArray origins = new JsonArray();
        // Relative to the home, which may be moved.
        entry.origins.forEach(origin -> origins.add(home().relativize(origin).toString().replace('\\', '/')));
        json.add("origins", origins);
        AtomicFile.write(entry.folder.resolve(FILE),
                out -> out.write((json + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    private Entry read(Path path) throws Failure {
        Json json = Json.read(path.resolve(FILE));
        List<Path> origins = new ArrayList<>();
        try {
            for (String origin : json.strings("origins")) {
                Path file = home().resolve(origin).normalize();
                if (!file.startsWith(home()) || file.equals(home()))
                    throw new Failure.Unreadable(path + ": expected origins in " + home() + ", found " + origin);
                origins.add(file);
            }
            return new Entry(path, json.string("title"), Instant.parse(json.string("deleted")), origins);
        } catch (RuntimeException invalid) {
            throw new Failure.Unreadable(path + ": cannot be read: " + invalid.getMessage(), invalid);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException otherFileSystem) {
            // `runs` may be a link to another disk.
            try (Stream<Path> files = Files.walk(from)) {
                for (Path file : files.toList())
                    Files.copy(file, to.resolve(from.relativize(file).toString()), StandardCopyOption.COPY_ATTRIBUTES);
            }
            deleteTree(from);
        }
    }

    private static void deleteTree(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
        }
    }
}
