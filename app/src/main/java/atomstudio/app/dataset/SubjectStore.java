package atomstudio.app.dataset;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.jobs.Cancellation;
import atomstudio.app.trash.Trash;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.diffusion.image.KohyaFolder;
import atomstudio.diffusion.image.PhotoFolders;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The subjects on disk, one folder each. For job threads: all methods access files.
public final class SubjectStore {
    private static final Logger log = LoggerFactory.getLogger(SubjectStore.class);
    private static final String FILE = "subject.json";

    private final Path folder;
    private final PhotoFinder photoFinder;

    public SubjectStore(Path folder, PhotoFinder photoFinder) {
        this.folder = folder;
        this.photoFinder = photoFinder;
    }

    public Path folder() {
        return folder;
    }

    public record ImportResult(Subject subject, int addedCount, List<RejectedFile> rejected) {}

    /// All subjects, newest first. Damaged folders are skipped.
    public List<Subject> list() throws Failure {
        if (!Files.isDirectory(folder)) return List.of();
        try (Stream<Path> folders = Files.list(folder)) {
            List<Path> found = folders.filter(path -> Files.isRegularFile(path.resolve(FILE)))
                    .sorted(Comparator.comparing((Path path) -> path.resolve(FILE).toFile().lastModified())
                            .reversed()
                            .thenComparing(Comparator.naturalOrder()))
                    .toList();
            List<Subject> subjects = new ArrayList<>();
            for (Path path : found) {
                try {
                    subjects.add(read(path));
                } catch (Failure damaged) {
                    log.warn("skipped damaged subject: {}", damaged.getMessage());
                }
            }
            return subjects;
        } catch (IOException e) {
            throw new Failure.Unreadable(text("dataset.the-subjects-in-cannot-be-listed", folder, e.getMessage()), e);
        }
    }

    /// Creates a subject from the photos among `files`; creates nothing if there is none. Folders in kohya's layout
    /// keep their names, which determine repeats, and provide the class and trigger word unless a class word is
    /// given.
    /// @param desiredName a number is appended if it is taken
    /// @throws Failure.Incompatible if folders provide different words
    public ImportResult create(String desiredName, String className, List<Path> files, Cancellation cancellation)
            throws Failure {
        PhotoFinder.FoundFiles found = photoFinder.find(files);
        List<RejectedFile> rejected = new ArrayList<>();
        List<Path> readable = readablePhotos(found, List.of(), rejected, cancellation);
        if (readable.isEmpty())
            return new ImportResult(
                    new Subject(desiredName, folder, className, Subject.DEFAULT_TRIGGER_WORD, List.of()), 0, rejected);
        String triggerWord = className.isEmpty() ? found.folders().triggerWord().orElse(Subject.DEFAULT_TRIGGER_WORD)
                : Subject.DEFAULT_TRIGGER_WORD;
        String resolvedClassName = className.isEmpty() ? found.folders().className().orElse("") : className;
        Path subjectFolder = uniqueFolder(desiredName);
        Subject subject = new Subject(subjectFolder.getFileName().toString(), subjectFolder, resolvedClassName,
                triggerWord, List.of());
        copy(readable, subject);
        save(subject);
        return new ImportResult(read(subjectFolder), readable.size(), rejected);
    }

    /// Adds the photos among `files` to a subject, and captions and masks for its photos.
    public ImportResult add(Subject subject, List<Path> files, Cancellation cancellation) throws Failure {
        List<RejectedFile> rejected = new ArrayList<>();
        PhotoFinder.FoundFiles found = photoFinder.find(files);
        List<Path> readable = readablePhotos(found, subject.photos(), rejected, cancellation);
        copy(readable, subject);
        copySidecars(found, subject);
        return new ImportResult(read(subject.folder()), readable.size(), rejected);
    }

    /// Decodes the candidates; captions and masks of new or existing photos are neither photos nor rejected.
    private List<Path> readablePhotos(PhotoFinder.FoundFiles found, List<Path> existing, List<RejectedFile> rejected,
            Cancellation cancellation) {
        List<Path> photos = Stream.concat(existing.stream(),
                found.files().stream().filter(file -> !SidecarFiles.isCaption(file) && !SidecarFiles.isMask(file)))
                .toList();
        List<Path> readable = new ArrayList<>();
        for (Path file : found.files()) {
            cancellation.throwIfRequested();
            if (SidecarFiles.belongsTo(file, photos)) continue;
            if (SidecarFiles.isMask(file)) {
                rejected.add(new RejectedFile(file.getFileName().toString(),
                        text("dataset.mask-without-its-image-skipped")));
                continue;
            }
            try {
                photoFinder.read(file);
                readable.add(file);
            } catch (Failure e) {
                rejected.add(new RejectedFile(file.getFileName().toString(), e.getMessage()));
            }
        }
        for (PhotoFolders.Skipped folder : found.folders().skipped())
            rejected.add(new RejectedFile(folder.folder().getFileName().toString(), folder.reason()));
        for (Path file : found.ignored())
            if (!SidecarFiles.belongsTo(file, photos))
                rejected.add(new RejectedFile(file.getFileName().toString(), text("dataset.not-an-image-skipped")));
        return readable;
    }

    private static void copy(List<Path> files, Subject subject) throws Failure {
        try {
            StudioFolder.createDirectories(subject.photoFolder());
            for (Path file : files) {
                Path copy = uniquePath(copyFolder(file, subject), file.getFileName().toString());
                StudioFolder.restrictPermissions(Files.copy(file, copy, StandardCopyOption.COPY_ATTRIBUTES));
                for (Path sidecar : SidecarFiles.of(file))
                    StudioFolder.restrictPermissions(Files.copy(sidecar, SidecarFiles.copyTarget(sidecar, file, copy),
                            StandardCopyOption.REPLACE_EXISTING));
            }
        } catch (IOException e) {
            throw new Failure.Unwritable(
                    text("dataset.photos-cannot-be-copied-to-free", subject.photoFolder(), e.getMessage()), e);
        }
    }

    /// The target folder of a copy: a folder of the same name if that determines repeats.
    private static Path copyFolder(Path file, Subject subject) throws IOException {
        Path from = file.toAbsolutePath().normalize().getParent();
        if (KohyaFolder.of(from).filter(name -> name.repeats() > 0).isEmpty()) return subject.photoFolder();
        return StudioFolder.createDirectories(subject.photoFolder().resolve(from.getFileName().toString()));
    }

    /// Copies captions and masks without photos next to the existing photos.
    private static void copySidecars(PhotoFinder.FoundFiles found, Subject subject) throws Failure {
        try {
            for (Path file : Stream.concat(found.files().stream(), found.ignored().stream()).toList()) {
                for (Path photo : subject.photos()) {
                    if (SidecarFiles.belongsTo(file, List.of(photo)))
                        StudioFolder.restrictPermissions(
                                Files.copy(file, photo.resolveSibling(file.getFileName().toString()),
                                        StandardCopyOption.REPLACE_EXISTING));
                }
            }
        } catch (IOException e) {
            throw new Failure.Unwritable(
                    text("dataset.captions-and-masks-cannot-be-copied", subject.photoFolder(), e.getMessage()), e);
        }
    }

    private static Path uniquePath(Path folder, String name) {
        Path candidate = folder.resolve(name);
        int dot = name.lastIndexOf('.');
        String stem = dot > 0 ? name.substring(0, dot) : name;
        String extension = dot > 0 ? name.substring(dot) : "";
        for (int n = 2; Files.exists(candidate); n++) candidate = folder.resolve(stem + "-" + n + extension);
        return candidate;
    }

    private Path uniqueFolder(String desiredName) {
        String name = desiredName.strip().replaceAll("[^\\p{L}\\p{N} _-]+", "-").replaceAll("^[-. ]+|[-. ]+$", "");
        return uniquePath(folder, name.isEmpty() ? Subject.DEFAULT_NAME : name);
    }

    public void save(Subject subject) throws Failure {
        JsonObject json = new JsonObject();
        json.addProperty("format", 1);
        if (!subject.displayName().isEmpty()) json.addProperty("title", subject.displayName());
        json.addProperty("class", subject.className());
        json.addProperty("token", subject.triggerWord());
        AtomicFile.write(subject.folder().resolve(FILE),
                out -> out.write((json + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    /// Moves the subject's copy of a photo to the trash, with its caption and mask.
    public Trash.Entry remove(Subject subject, Path photo, Trash trash) throws Failure {
        if (!subject.photos().contains(photo))
            throw new IllegalArgumentException(photo + " is not a photo of " + subject.name());
        try {
            List<Path> files = Stream.concat(Stream.of(photo), SidecarFiles.of(photo).stream()).toList();
            Trash.Entry entry = trash.move(text("dataset.photo-of", photo.getFileName(), subject.title()), files);
            removeIfEmpty(photo.getParent(), subject);
            return entry;
        } catch (IOException e) {
            throw new Failure.Unwritable(text("dataset.cannot-be-deleted", photo, e.getMessage()), e);
        }
    }

    /// Reads a subject again.
    public Subject read(Subject subject) throws Failure {
        return read(subject.folder());
    }

    private static void removeIfEmpty(Path folder, Subject subject) throws IOException {
        if (folder.equals(subject.photoFolder())) return;
        try (Stream<Path> entries = Files.list(folder)) {
            if (entries.findAny().isPresent()) return;
        }
        Files.delete(folder);
    }

    private Subject read(Path subjectFolder) throws Failure {
        Json json;
        try {
            json = Json.read(subjectFolder.resolve(FILE));
            json.string("class");
            json.string("token");
        } catch (Failure.Unreadable e) {
            throw new Failure.Unreadable(
                    text("dataset.is-damaged-delete-the-folder-or", subjectFolder.resolve(FILE), e.getMessage()), e);
        }
        Path photoFolder = subjectFolder.resolve("pictures");
        List<Path> files = Files.isDirectory(photoFolder)
                ? photoFinder.find(List.of(photoFolder))
                        .files()
                        .stream()
                        .filter(file -> !SidecarFiles.isMask(file))
                        .toList()
                : List.of();
        List<Path> sidecars = new ArrayList<>();
        try {
            for (Path file : files) sidecars.addAll(SidecarFiles.of(file));
        } catch (IOException e) {
            throw new Failure.Unreadable(text("dataset.cannot-be-read", photoFolder, e.getMessage()), e);
        }
        return new Subject(subjectFolder.getFileName().toString(), subjectFolder,
                json.has("title") ? json.string("title") : "", json.string("class"),
                json.string("token"), files, sidecars);
    }

    /// A rejected file and the reason, in one sentence.
    public record RejectedFile(String file, String reason) {
        /// `notes.txt: not an image – skipped`; drops the path that a reason may start with.
        public String message() {
            int index = reason.indexOf(file + ": ");
            return file + ": " + (index >= 0 ? reason.substring(index + file.length() + 2) : reason);
        }
    }
}
