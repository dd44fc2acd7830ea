package atomstudio.app.gallery;

import atomstudio.app.text.Texts;
import java.util.Locale;

/// Which images the strip shows.
/// @param text words that the prompt, the run or the file's name must contain
/// @param group all, starred, or the images of one subject or model
public record GalleryFilter(String text, Group group) {
    public static final GalleryFilter ALL = new GalleryFilter("", new Group.All());

    /// A part of the gallery.
    public sealed interface Group {
        String title();

        record All() implements Group {
            @Override
            public String title() {
                return Texts.text("gallery.all-images");
            }
        }

        record Starred() implements Group {
            @Override
            public String title() {
                return Texts.text("gallery.starred");
            }
        }

        record OfSubject(String subject) implements Group {
            @Override
            public String title() {
                return subject;
            }
        }

        record OfModel(String model) implements Group {
            @Override
            public String title() {
                return model;
            }
        }
    }

    /// Whether an image starred or not passes the filter.
    boolean accepts(GalleryImage image, boolean starred) {
        boolean inGroup = switch (group) {
            case Group.All _ -> true;
            case Group.Starred _ -> starred;
            case Group.OfSubject(String subject) -> image.tags().subject().equals(subject);
            case Group.OfModel(String model) -> image.model().equals(model);
        };
        if (!inGroup || text.isBlank()) return inGroup;
        String searched = (image.infotext().prompt() + " " + image.tags().run() + " " + image.file().getFileName())
                .toLowerCase(Locale.ROOT);
        for (String word : text.toLowerCase(Locale.ROOT).strip().split("\\s+"))
            if (!searched.contains(word)) return false;
        return true;
    }
}
