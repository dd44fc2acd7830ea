package atomstudio.tuning.classify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.ImageFolder;
import atomstudio.tuning.method.CounterRng;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A data set with a folder of images per class: in `train/` and `val/`, or in one folder, which a seed splits.
/// @param classes names of the folders, sorted
public record ClassFolders(Path folder, List<String> classes, List<LabeledImage> training,
        List<LabeledImage> validation) {
    /// An image and the index of its class.
    public record LabeledImage(Path file, int label) {}

    /// How a folder without `train` and `val` is split: a share of each class, at least one image, is for validation.
    public record Split(long seed, double validationShare) {
        public Split {
            if (!(validationShare > 0 && validationShare < 1))
                throw new IllegalArgumentException(
                        "validation-share: expected a number between 0 and 1, found " + validationShare);
        }
    }

    private static final String TRAINING = "train";
    /// Damaged images that a message names.
    private static final int MAX_NAMED = 5;
    private static final List<String> VALIDATION_NAMES = List.of("val", "validation", "test");

    public ClassFolders {
        classes = List.copyOf(classes);
        training = List.copyOf(training);
        validation = List.copyOf(validation);
    }

    /// @throws Failure.Unreadable if it is no such data set, naming what is missing
    public static ClassFolders read(Path folder, Split split) throws Failure {
        if (!Files.isDirectory(folder))
            throw new Failure.Unreadable(folder + ": expected a folder with a folder of images per class, found "
                    + (Files.exists(folder) ? "a file" : "nothing"));
        Optional<Path> validation = VALIDATION_NAMES.stream()
                .map(folder::resolve)
                .filter(Files::isDirectory)
                .findFirst();
        if (validation.isPresent() && Files.isDirectory(folder.resolve(TRAINING))) {
            List<String> classes = classNames(folder.resolve(TRAINING));
            List<LabeledImage> training = images(folder.resolve(TRAINING), classes);
            for (int label = 0; label < classes.size(); label++) requireImages(folder, classes, training, label);
            return new ClassFolders(folder, classes, training, images(validation.get(), classes));
        }
        List<String> classes = classNames(folder);
        List<LabeledImage> training = new ArrayList<>(), held = new ArrayList<>();
        for (int label = 0; label < classes.size(); label++) {
            List<Path> files = ImageFolder.list(folder.resolve(classes.get(label))).images();
            if (files.size() < 2)
                throw new Failure.Unreadable(folder.resolve(classes.get(label))
                        + ": expected at least 2 images, one of them for validation, found " + files.size());
            int count = (int) Math.clamp(Math.round(split.validationShare * files.size()), 1, files.size() - 1L);
            List<Path> shuffled = shuffled(files, new CounterRng(split.seed, "split " + classes.get(label)));
            for (int i = 0; i < shuffled.size(); i++)
                (i < count ? held : training).add(new LabeledImage(shuffled.get(i), label));
        }
        return new ClassFolders(folder, classes, training, held);
    }

    private static void requireImages(Path folder, List<String> classes, List<LabeledImage> training, int label)
            throws Failure {
        if (training.stream().noneMatch(image -> image.label == label))
            throw new Failure.Unreadable(folder.resolve(TRAINING).resolve(classes.get(label))
                    + ": expected images of this class, found none; add some, or remove the folder");
    }

    /// Decodes every image, so that a damaged one is found before training and not in the middle of it.
    /// @throws Failure.Unreadable that names the images that cannot be read, at most a few
    void requireReadable() throws Failure {
        List<String> unreadable = Stream.concat(training.stream(), validation.stream())
                .parallel()
                .map(image -> {
                    try {
                        ImageFiles.read(image.file);
                        return "";
                    } catch (Failure e) {
                        return "  " + e.getMessage();
                    }
                })
                .filter(message -> !message.isEmpty())
                .toList();
        if (unreadable.isEmpty()) return;
        String more = unreadable.size() > MAX_NAMED ? "\n  and " + (unreadable.size() - MAX_NAMED) + " more" : "";
        throw new Failure.Unreadable(folder + ": " + unreadable.size() + " of " + (training.size() + validation.size())
                + " images cannot be read; replace or remove them:\n"
                + String.join("\n", unreadable.subList(0, Math.min(MAX_NAMED, unreadable.size()))) + more);
    }

    /// The images of the classes, in a folder with a folder for each or for some; or of the data set's validation.
    public static List<LabeledImage> labeled(Path folder, List<String> classes) throws Failure {
        for (String name : VALIDATION_NAMES)
            if (Files.isDirectory(folder.resolve(name)) && !classes.contains(name))
                return images(folder.resolve(name), classes);
        return images(folder, classes);
    }

    private static List<Path> shuffled(List<Path> files, CounterRng rng) {
        List<Path> order = new ArrayList<>(files);
        for (int i = order.size() - 1; i > 0; i--) {
            int j = rng.randint(i + 1, i);
            order.set(i, order.set(j, order.get(i)));
        }
        return order;
    }

    private static List<String> classNames(Path folder) throws Failure {
        List<String> names = subfolders(folder);
        if (names.size() < 2)
            throw new Failure.Unreadable(
                    folder + ": expected a folder of images for each of two or more classes, found "
                            + (names.isEmpty() ? "no folders" : "only " + names.getFirst()));
        return names;
    }

    private static List<LabeledImage> images(Path folder, List<String> classes) throws Failure {
        List<LabeledImage> images = new ArrayList<>();
        for (String name : subfolders(folder)) {
            int label = classes.indexOf(name);
            if (label < 0)
                throw new Failure.Unreadable(folder.resolve(name) + ": expected one of the classes "
                        + String.join(", ", classes) + "; rename or remove this folder");
            for (Path file : ImageFolder.list(folder.resolve(name)).images())
                images.add(new LabeledImage(file, label));
        }
        if (images.isEmpty())
            throw new Failure.Unreadable(folder + ": expected a folder of images per class, found none");
        return images;
    }

    private static List<String> subfolders(Path folder) throws Failure {
        try (Stream<Path> list = Files.list(folder)) {
            return list.filter(Files::isDirectory)
                    .map(path -> path.getFileName().toString())
                    .filter(name -> !name.startsWith("."))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new Failure.Unreadable(folder + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    /// A hash of which images are trained on and validated with, and of their sizes; a resumed run needs the same.
    String hash() throws Failure {
        StringBuilder list = new StringBuilder();
        for (List<LabeledImage> part : List.of(training, validation)) {
            for (LabeledImage image : part) {
                try {
                    list.append(folder.relativize(image.file)).append(' ').append(Files.size(image.file)).append('\n');
                } catch (IOException e) {
                    throw new Failure.Unreadable(image.file + ": cannot be read: " + e.getMessage(), e);
                }
            }
            list.append('\n');
        }
        return Sha256.of(list.toString().getBytes(StandardCharsets.UTF_8));
    }
}
