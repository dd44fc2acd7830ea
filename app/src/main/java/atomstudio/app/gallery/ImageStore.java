package atomstudio.app.gallery;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.ImageMetadata;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.PngText;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.Seed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;

/// The images folder: `DATE/TIME-SEED.png`. The files are all there is: nothing else has to be kept in step with them.
/// Files and folders may be added, renamed and removed by other programs. For job threads.
public final class ImageStore {
    private static final String STARS = "stars.txt", UNREADABLE_STARS = "stars-unreadable.txt";
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("yyyy-MM-dd", Locale.ROOT);
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HHmmss", Locale.ROOT);

    private static final int FIRST_IMAGES = 200;
    private static final Duration MAX_WRITING_TIME = Duration.ofMinutes(1);

    private final Path folder;
    private final InstantSource clock;
    private volatile Set<Path> stars = Set.of();
    private volatile boolean starsUnreadable;

    public ImageStore(Path folder, InstantSource clock) {
        this.folder = folder;
        this.clock = clock;
    }

    public Path folder() {
        return folder;
    }

    /// A file in the folder that cannot be shown, and why.
    public record ForeignFile(Path file, String reason) {}

    /// @param images newest first
    /// @param starred files that the person marked
    public record Listing(List<GalleryImage> images, List<ForeignFile> foreign, Set<Path> starred) {}

    /// Writes an image with its metadata and adapters.
    public GalleryImage save(RgbImage image, ImageMetadata metadata, ImageTags tags) throws Failure {
        Instant created = clock.instant();
        Path file = reserve(created, metadata);
        try {
            PngWriter.write(file, image, metadata.withText(ImageTags.PNG_KEYWORD, tags.toJson(created)));
        } catch (Failure e) {
            file.toFile().delete();
            throw e;
        }
        return new GalleryImage(file, created, tags, metadata.infotext(), Optional.empty());
    }

    /// An image whose file could not be written; it is kept in memory.
    public GalleryImage unsaved(RgbImage image, ImageMetadata metadata, ImageTags tags) {
        Instant created = clock.instant();
        return new GalleryImage(folder.resolve("unsaved-" + UUID.randomUUID() + ".png"), created, tags,
                metadata.infotext(), Optional.of(image));
    }

    /// Creates an empty file with a new name, so that two windows never write the same one.
    private Path reserve(Instant created, ImageMetadata metadata) throws Failure {
        ZonedDateTime local = created.atZone(ZoneId.systemDefault());
        String seed = metadata.infotext().settings().getOrDefault("Seed", "");
        String name = TIME.format(local) + (Seed.parse(seed).isPresent() ? "-" + seed : "");
        Path day = folder.resolve(DATE.format(local));
        Path file = day.resolve(name + ".png");
        try {
            StudioFolder.createDirectories(day);
            for (int n = 2;; n++) {
                try {
                    return Files.createFile(file, StudioFolder.fileAttributes(file));
                } catch (FileAlreadyExistsException taken) {
                    file = day.resolve(name + "-" + n + ".png");
                }
            }
        } catch (IOException e) {
            throw new Failure.Unwritable(text("gallery.cannot-be-written-free-some-space", file, e.getMessage()), e);
        }
    }

    /// Reads the texts of all files. Damaged and foreign files do not affect the others.
    /// @param firstImages gets the newest images before the older ones are read
    public Listing list(Consumer<List<GalleryImage>> firstImages, Cancellation cancellation) throws Failure {
        if (!Files.isDirectory(folder)) return new Listing(List.of(), List.of(), Set.of());
        List<GalleryImage> images = new ArrayList<>();
        List<ForeignFile> foreign = new ArrayList<>();
        List<FoundFile> files = find(foreign);
        for (FoundFile file : files) {
            cancellation.throwIfRequested();
            try {
                images.add(read(file.path, file.attributes));
                if (images.size() == FIRST_IMAGES && images.size() < files.size())
                    firstImages.accept(List.copyOf(images));
            } catch (Failure unreadable) {
                foreign.add(new ForeignFile(file.path, unreadable.getMessage()));
            }
        }
        Set<Path> starred = readStars(foreign);
        images.sort(Comparator.comparing(GalleryImage::created)
                .thenComparing(image -> image.file().getFileName().toString())
                .reversed());
        return new Listing(images, foreign, starred);
    }

    private record FoundFile(Path path, BasicFileAttributes attributes) {}

    /// All files but the program's own, by name, the newest days first.
    private List<FoundFile> find(List<ForeignFile> unreadable) throws Failure {
        List<FoundFile> files = new ArrayList<>();
        try {
            Files.walkFileTree(folder, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    String name = file.getFileName().toString();
                    if (!name.startsWith(".") && !name.equals(STARS) && !name.equals(UNREADABLE_STARS)
                            && !isBeingWritten(attributes))
                        files.add(new FoundFile(file, attributes));
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException e) {
                    unreadable.add(new ForeignFile(file, text("gallery.cannot-be-read", file, e.getMessage())));
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new Failure.Unreadable(text("gallery.the-images-in-cannot-be-listed", folder, e.getMessage()), e);
        }
        files.sort(Comparator.comparing(FoundFile::path).reversed());
        return files;
    }

    /// A name that was reserved a moment ago.
    private boolean isBeingWritten(BasicFileAttributes attributes) {
        return attributes.size() == 0
                && attributes.lastModifiedTime().toInstant().plus(MAX_WRITING_TIME).isAfter(clock.instant());
    }

    private static GalleryImage read(Path file, BasicFileAttributes attributes) throws Failure {
        String name = file.getFileName().toString();
        if (!ImageFiles.hasImageExtension(file)) throw new Failure.Unreadable(text("gallery.is-not-an-image", file));
        if (attributes.size() == 0) throw new Failure.Unreadable(text("gallery.is-empty", file));
        boolean png = name.toLowerCase(Locale.ROOT).endsWith(".png");
        Map<String, String> texts = png ? PngText.read(file) : Map.of();
        ImageTags.Parsed parsed = ImageTags.parse(texts.get(ImageTags.PNG_KEYWORD));
        return new GalleryImage(file, parsed.created().orElse(attributes.lastModifiedTime().toInstant()),
                parsed.tags(), Infotext.parse(texts.getOrDefault(Infotext.PNG_KEYWORD, "")), Optional.empty());
    }

    /// A damaged line, such as a name in another encoding, does not take the others with it.
    private Set<Path> readStars(List<ForeignFile> unreadable) {
        Path file = folder.resolve(STARS);
        if (!Files.isRegularFile(file)) return Set.of();
        Set<Path> starred = new HashSet<>();
        try {
            for (String line : new String(Files.readAllBytes(file), StandardCharsets.UTF_8).split("\\R"))
                if (!line.isBlank() && line.indexOf('\0') < 0) starred.add(folder.resolve(line.strip()).normalize());
        } catch (IOException e) {
            unreadable.add(new ForeignFile(file, text("gallery.cannot-be-read", file, e.getMessage())));
            starsUnreadable = true;
        }
        return starred;
    }

    /// Sets which images are starred. Any thread.
    void setStars(Set<Path> changed) { stars = Set.copyOf(changed); }

    /// Writes the newest stars, one path a line, so that the order of two writes does not matter. A file that could not
    /// be read is kept beside, since it may be readable later.
    synchronized void writeStars() throws Failure {
        if (starsUnreadable) keepUnreadableStars();
        Set<String> lines = new TreeSet<>();
        for (Path file : stars) lines.add(folder.relativize(file).toString().replace('\\', '/'));
        AtomicFile.write(folder.resolve(STARS),
                out -> out.write((String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    private void keepUnreadableStars() throws Failure {
        Path file = folder.resolve(STARS), kept = folder.resolve(UNREADABLE_STARS);
        try {
            Files.move(file, kept, StandardCopyOption.REPLACE_EXISTING);
            starsUnreadable = false;
        } catch (IOException e) {
            throw new Failure.Unreadable(text("gallery.cannot-be-moved-to", file, kept, e.getMessage()), e);
        }
    }
}
