package atomstudio.app.subjects;

import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.picture.KohyaFolder;
import atomstudio.diffusion.picture.PictureFolders;
import atomstudio.diffusion.tensor.AtomicFile;
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

/// The subjects of a person, a folder each. Everything here may take long: for jobs only.
public final class SubjectStore {
    private static final Logger log = LoggerFactory.getLogger(SubjectStore.class);
    private static final String FILE = "subject.json";

    private final Path folder;
    private final PictureFiles pictures;

    public SubjectStore(Path folder, PictureFiles pictures) {
        this.folder = folder;
        this.pictures = pictures;
    }

    public Path folder() {
        return folder;
    }

    /// A subject, and the files that were not taken.
    public record Imported(Subject subject, int taken, List<Refusal> refusals) {}

    /// All subjects, the newest first; a damaged folder is left alone and left out.
    public List<Subject> list() throws Failure {
        if (!Files.isDirectory(folder)) return List.of();
        try (Stream<Path> folders = Files.list(folder)) {
            List<Path> found = folders.filter(path -> Files.isRegularFile(path.resolve(FILE)))
                .sorted(Comparator.comparing((Path path) -> path.resolve(FILE).toFile().lastModified()).reversed().thenComparing(Comparator.naturalOrder())).toList();
            List<Subject> subjects = new ArrayList<>();
            for (Path path : found) {
                try {
                    subjects.add(read(path));
                } catch (Failure damaged) {
                    log.warn("left out: {}", damaged.getMessage());
                }
            }
            return subjects;
        } catch (IOException e) {
            throw new Failure.Unreadable("The subjects in " + folder + " cannot be listed: " + e.getMessage(), e);
        }
    }

    /// Makes a subject of the pictures among `files`; nothing is made when none of them is one. Folders named in kohya's layout keep
    /// their names, which give the pictures' repeats, and give the words where no class word is given.
    /// @param wish the name it should have; a number is added where that is taken
    /// @throws Failure.Incompatible when folders give different words
    public Imported create(String wish, String className, List<Path> files, Cancellation cancellation) throws Failure {
        PictureFiles.Found found = pictures.find(files);
        List<Refusal> refusals = new ArrayList<>();
        List<Path> good = good(found, List.of(), refusals, cancellation);
        if (good.isEmpty()) return new Imported(new Subject(wish, folder, className, Subject.USUAL_TOKEN, List.of()), 0, refusals);
        String token = className.isEmpty() ? found.folders().trigger().orElse(Subject.USUAL_TOKEN) : Subject.USUAL_TOKEN;
        String named = className.isEmpty() ? found.folders().className().orElse("") : className;
        Path place = free(wish);
        Subject subject = new Subject(place.getFileName().toString(), place, named, token, List.of());
        copy(good, subject);
        save(subject);
        return new Imported(read(place), good.size(), refusals);
    }

    /// Adds the pictures among `files` to a subject.
    public Imported add(Subject subject, List<Path> files, Cancellation cancellation) throws Failure {
        List<Refusal> refusals = new ArrayList<>();
        PictureFiles.Found found = pictures.find(files);
        List<Path> good = good(found, subject.pictures(), refusals, cancellation);
        copy(good, subject);
        beside(found, subject);
        return new Imported(read(subject.folder()), good.size(), refusals);
    }

    /// Captions and masks go with their pictures: those that are there, and those that come.
    private List<Path> good(PictureFiles.Found found, List<Path> there, List<Refusal> refusals, Cancellation cancellation) {
        List<Path> owners = Stream.concat(there.stream(), found.files().stream().filter(file -> !Companions.caption(file) && !Companions.mask(file))).toList();
        List<Path> good = new ArrayList<>();
        for (Path file : found.files()) {
            cancellation.throwIfRequested();
            if (Companions.belongs(file, owners)) continue;
            if (Companions.mask(file)) {
                refusals.add(new Refusal(file.getFileName().toString(), "a mask without its picture, left out"));
                continue;
            }
            try {
                pictures.read(file);
                good.add(file);
            } catch (Failure e) {
                refusals.add(new Refusal(file.getFileName().toString(), e.getMessage()));
            }
        }
        for (PictureFolders.LeftOut folder : found.folders().leftOut()) refusals.add(new Refusal(folder.folder().getFileName().toString(), folder.why()));
        for (Path file : found.passedOver()) if (!Companions.belongs(file, owners)) refusals.add(new Refusal(file.getFileName().toString(), "not a picture, left out"));
        return good;
    }

    private static void copy(List<Path> files, Subject subject) throws Failure {
        try {
            StudioFolder.createDirectories(subject.pictureFolder());
            for (Path file : files) {
                Path copy = unused(copies(file, subject), file.getFileName().toString());
                StudioFolder.protect(Files.copy(file, copy, StandardCopyOption.COPY_ATTRIBUTES));
                for (Path companion : Companions.beside(file)) StudioFolder.protect(Files.copy(companion, Companions.renamed(companion, file, copy), StandardCopyOption.REPLACE_EXISTING));
            }
        } catch (IOException e) {
            throw new Failure.Unwritable("Pictures cannot be copied to " + subject.pictureFolder() + ": " + e.getMessage() + ". Free some space or check the permissions.", e);
        }
    }

    /// Where a file's copy goes: to a folder of the same name where that gives repeats.
    private static Path copies(Path file, Subject subject) throws IOException {
        Path from = file.toAbsolutePath().normalize().getParent();
        if (KohyaFolder.of(from).filter(name -> name.repeats() > 0).isEmpty()) return subject.pictureFolder();
        return StudioFolder.createDirectories(subject.pictureFolder().resolve(from.getFileName().toString()));
    }

    /// Captions and masks that come by themselves, for pictures that are there.
    private static void beside(PictureFiles.Found found, Subject subject) throws Failure {
        try {
            for (Path file : Stream.concat(found.files().stream(), found.passedOver().stream()).toList()) {
                for (Path picture : subject.pictures()) {
                    if (Companions.belongs(file, List.of(picture))) StudioFolder.protect(Files.copy(file, picture.resolveSibling(file.getFileName().toString()), StandardCopyOption.REPLACE_EXISTING));
                }
            }
        } catch (IOException e) {
            throw new Failure.Unwritable("Captions and masks cannot be copied to " + subject.pictureFolder() + ": " + e.getMessage() + ". Free some space or check the permissions.", e);
        }
    }

    private static Path unused(Path folder, String name) {
        Path wish = folder.resolve(name);
        int dot = name.lastIndexOf('.');
        String stem = dot > 0 ? name.substring(0, dot) : name;
        String extension = dot > 0 ? name.substring(dot) : "";
        for (int n = 2; Files.exists(wish); n++) wish = folder.resolve(stem + "-" + n + extension);
        return wish;
    }

    private Path free(String wish) {
        String name = wish.strip().replaceAll("[^\\p{L}\\p{N} _-]+", "-").replaceAll("^[-. ]+|[-. ]+$", "");
        return unused(folder, name.isEmpty() ? Subject.UNNAMED : name);
    }

    public void save(Subject subject) throws Failure {
        JsonObject json = new JsonObject();
        json.addProperty("format", 1);
        json.addProperty("class", subject.className());
        json.addProperty("token", subject.token());
        AtomicFile.write(subject.folder().resolve(FILE), out -> out.write((json + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    /// Takes a picture out of the subject. The copy is deleted, the file it came from is not touched.
    public Subject remove(Subject subject, Path picture) throws Failure {
        if (!subject.pictures().contains(picture)) throw new IllegalArgumentException(picture + " is no picture of " + subject.name());
        try {
            List<Path> companions = Companions.beside(picture);
            Files.deleteIfExists(picture);
            for (Path companion : companions) Files.deleteIfExists(companion);
            removeEmpty(picture.getParent(), subject);
        } catch (IOException e) {
            throw new Failure.Unwritable(picture + " cannot be deleted: " + e.getMessage(), e);
        }
        return read(subject.folder());
    }

    private static void removeEmpty(Path folder, Subject subject) throws IOException {
        if (folder.equals(subject.pictureFolder())) return;
        try (Stream<Path> rest = Files.list(folder)) {
            if (rest.findAny().isPresent()) return;
        }
        Files.delete(folder);
    }

    private Subject read(Path place) throws Failure {
        Json json;
        try {
            json = Json.read(place.resolve(FILE));
            json.text("class");
            json.text("token");
        } catch (Failure.Unreadable e) {
            throw new Failure.Unreadable(place.resolve(FILE) + " is damaged: " + e.getMessage() + ". Delete the folder, or drop its pictures again as a new subject.", e);
        }
        Path pictureFolder = place.resolve("pictures");
        List<Path> files = Files.isDirectory(pictureFolder) ? pictures.find(List.of(pictureFolder)).files().stream().filter(file -> !Companions.mask(file)).toList() : List.of();
        List<Path> beside = new ArrayList<>();
        try {
            for (Path file : files) beside.addAll(Companions.beside(file));
        } catch (IOException e) {
            throw new Failure.Unreadable(pictureFolder + ": cannot be read: " + e.getMessage(), e);
        }
        return new Subject(place.getFileName().toString(), place, json.text("class"), json.text("token"), files, beside);
    }
}
