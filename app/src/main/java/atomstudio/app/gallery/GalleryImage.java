package atomstudio.app.gallery;

import static atomstudio.app.text.Texts.text;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.Seed;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/// An image of the images folder, with what it was made from. Its pixels stay in the file.
/// @param infotext without settings for an image of unknown origin
/// @param unsaved the pixels, only if the file could not be written
public record GalleryImage(Path file, Instant created, ImageTags tags, Infotext infotext, Optional<RgbImage> unsaved)
        implements
        Thumbnails.Source {
    /// The positive prompt in one line.
    public String prompt() {
        return infotext.prompt().replaceAll("\\s+", " ").strip();
    }

    public OptionalLong seed() {
        String value = infotext.settings().get("Seed");
        return value == null ? OptionalLong.empty() : Seed.parse(value);
    }

    /// The model's name; empty if unknown.
    public String model() {
        return infotext.settings().getOrDefault("Model", "");
    }

    /// `car-lora · seed 7`, `Base model · seed 7`; the file's name for an image of unknown origin.
    public String title() {
        OptionalLong seed = seed();
        if (seed.isEmpty()) return file.getFileName().toString();
        String adapters = tags.run().isEmpty()
                ? infotext.adapters().stream().map(Infotext.AdapterEntry::name).collect(Collectors.joining(" + "))
                : tags.run();
        return text("gallery.seed", (adapters.isEmpty() ? text("gallery.base") : adapters),
                Seed.format(seed.getAsLong()));
    }

    @Override
    public Path key() {
        return file;
    }

    @Override
    public RgbImage read() throws Failure {
        return unsaved.isPresent() ? unsaved.get() : ImageFiles.read(file);
    }
}
