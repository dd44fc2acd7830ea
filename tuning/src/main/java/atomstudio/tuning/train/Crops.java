package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.ImageFiles;
import atomstudio.diffusion.picture.PngWriter;
import atomstudio.diffusion.picture.RgbImage;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Pictures as training sees them, with their masks and captions; `notes` are what a person should know about the folder they came from.
record Crops(List<Prepared> prepared, List<String> notes) {
    Crops {
        prepared = List.copyOf(prepared);
        notes = List.copyOf(notes);
    }

    /// One picture, and the mask that goes with it.
    record Prepared(RgbImage picture, Optional<Mask> mask, RunInfo.Picture name) {}

    /// How a folder is read.
    record Reading(Recipe recipe, Framing framing, Captions captions) {
        boolean has(Recipe.Feature feature) {
            return recipe.has(feature);
        }
    }

    /// @throws Failure.Unreadable that names a picture, mask or caption which cannot be read
    /// @throws Failure.Incompatible that names a mask which does not fit, or says that there are none of what was asked for
    static Crops of(Path folder, Reading reading) throws Failure {
        SubjectFiles files = SubjectFiles.of(folder);
        List<String> notes = new ArrayList<>(SubjectWords.notes(folder, files.folders(), reading.captions.subject()));
        notes.addAll(files.notes(reading.recipe));
        List<Prepared> prepared = new ArrayList<>();
        for (Path file : files.pictures()) {
            RgbImage whole = ImageFiles.read(file);
            Optional<Mask> mask = reading.has(Recipe.Feature.MASKS) ? mask(file, whole, files) : Optional.empty();
            Optional<Mask> framed = mask.map(each -> new Mask(reading.framing.apply(each.grey())));
            if (framed.isPresent()) framed.get().requireSomething(files.masks().getOrDefault(SubjectFiles.stem(file), file), reading.framing.crop());
            RgbImage picture = reading.framing.apply(whole);
            List<String> captions = reading.has(Recipe.Feature.CAPTIONS) ? captions(file, files, reading.captions, notes) : List.of();
            String name = String.format(Locale.ROOT, "%02d.png", prepared.size());
            prepared.add(new Prepared(picture, framed, new RunInfo.Picture(name, hash(picture), framed.map(each -> hash(each.grey())).orElse(""), captions, files.part(file).repeats())));
        }
        requireSome(folder, reading, prepared);
        String bare = without(files, prepared, each -> each.mask.isEmpty());
        if (reading.has(Recipe.Feature.MASKS) && !bare.isEmpty()) notes.add("all of " + bare + " counts: no mask beside, and not transparent");
        String unnamed = without(files, prepared, each -> each.name.captions().isEmpty());
        if (reading.has(Recipe.Feature.CAPTIONS) && !unnamed.isEmpty()) notes.add("no caption beside " + unnamed + "; called \"" + String.join("\" or \"", reading.captions.general()) + "\"");
        return new Crops(prepared, notes);
    }

    /// The names of the files whose pictures are so.
    private static String without(SubjectFiles files, List<Prepared> prepared, Predicate<Prepared> so) {
        return IntStream.range(0, prepared.size()).filter(i -> so.test(prepared.get(i))).mapToObj(i -> files.pictures().get(i).getFileName().toString()).collect(Collectors.joining(", "));
    }

    private static void requireSome(Path folder, Reading reading, List<Prepared> prepared) throws Failure.Incompatible {
        if (reading.has(Recipe.Feature.MASKS) && prepared.stream().allMatch(each -> each.mask.isEmpty())) {
            throw new Failure.Incompatible(folder + ": expected masks (NAME-mask.png beside a picture, or transparent pictures), found none; leave out --masks, or put them there");
        }
        if (reading.has(Recipe.Feature.CAPTIONS) && prepared.stream().allMatch(each -> each.name.captions().isEmpty())) {
            throw new Failure.Incompatible(folder + ": expected captions (NAME.txt beside a picture), found none; leave out --captions, or put them there");
        }
    }

    private static Optional<Mask> mask(Path file, RgbImage picture, SubjectFiles files) throws Failure {
        Path beside = files.masks().get(SubjectFiles.stem(file));
        return beside == null ? Mask.alpha(picture) : Optional.of(Mask.read(beside, file, picture));
    }

    private static List<String> captions(Path file, SubjectFiles files, Captions captions, List<String> notes) throws Failure {
        Path beside = files.captions().get(SubjectFiles.stem(file));
        if (beside == null) return List.of();
        List<String> own = captions.read(beside);
        for (String caption : own) if (!captions.names(caption)) notes.add(beside + ": \"" + caption + "\" does not name the subject; write {} where \"" + captions.subject() + "\" should stand, or the words will not call it up");
        return own;
    }

    /// The pictures that a run keeps, in the run's order.
    /// @throws Failure.Unreadable when one is missing or no longer what it was
    static Crops read(RunFolder run, List<RunInfo.Picture> names) throws Failure {
        return read(run.pictures(), run.masks(), names);
    }

    /// The pictures of the class that a run keeps, as it was given them.
    static Crops readPrior(RunFolder run, List<RunInfo.Picture> names) throws Failure {
        return read(run.prior(), run.prior(), names);
    }

    /// Pictures of the class that are made: all of each counts.
    static Crops made(List<RgbImage> pictures, Framing framing) {
        List<Prepared> prepared = new ArrayList<>();
        for (RgbImage picture : pictures) prepared.add(new Prepared(framing.apply(picture), Optional.empty(), new RunInfo.Picture("", "", "", List.of())));
        return new Crops(prepared, List.of());
    }

    private static Crops read(Path pictures, Path masks, List<RunInfo.Picture> names) throws Failure {
        List<Prepared> prepared = new ArrayList<>();
        for (RunInfo.Picture name : names) {
            RgbImage picture = kept(pictures.resolve(name.name()), name.sha256());
            Optional<Mask> mask = name.mask().isEmpty() ? Optional.empty() : Optional.of(new Mask(kept(masks.resolve(name.name()), name.mask())));
            prepared.add(new Prepared(picture, mask, name));
        }
        return new Crops(prepared, List.of());
    }

    private static RgbImage kept(Path file, String hash) throws Failure {
        RgbImage picture = ImageFiles.read(file);
        if (!hash(picture).equals(hash)) throw new Failure.Unreadable(file + ": expected the picture that this run was started with, found another; put it back, or start a new run");
        return picture;
    }

    /// Checks that pictures are as large as their run says that it trains on.
    void requireFramed(RunInfo.Training training, Path folder) throws Failure {
        if (training.size() == Recipe.OPEN) return;
        for (Prepared each : prepared) {
            int shorter = Math.min(each.picture.width(), each.picture.height());
            boolean framed = switch (training.recipe().material().crop()) {
                case CENTRE -> each.picture.width() == training.size() && each.picture.height() == training.size();
                case RANDOM -> shorter == training.size();
                case WHOLE -> true;
            };
            if (!framed) {
                throw new Failure.Unreadable(folder.resolve(each.name.name()) + ": expected a picture of the run's size " + training.size() + ", found " + each.picture.width() + "x" + each.picture.height()
                        + "; put run.json and the pictures back as they were, or start a new run");
            }
        }
    }

    List<RunInfo.Picture> names() {
        return prepared.stream().map(Prepared::name).toList();
    }

    void write(Path pictures, Path masks) throws Failure {
        for (Prepared each : prepared) {
            PngWriter.write(pictures.resolve(each.name.name()), each.picture, Map.of());
            if (each.mask.isPresent()) PngWriter.write(masks.resolve(each.name.name()), each.mask.get().grey(), Map.of());
        }
    }

    /// SHA-256 of the pixels: the same picture in another file, or under another name, is the same.
    private static String hash(RgbImage picture) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * picture.argb().length);
        bytes.asIntBuffer().put(picture.argb());
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
