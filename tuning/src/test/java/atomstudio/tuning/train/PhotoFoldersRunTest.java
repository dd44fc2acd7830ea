package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.data.Captions;
import atomstudio.tuning.data.CropPolicy;
import atomstudio.tuning.data.PartialTrigger;
import atomstudio.tuning.data.PhotoFiles;
import atomstudio.tuning.data.PhotoPreparation;
import atomstudio.tuning.data.PreparedPhotos;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.TrainingEvent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Photos in subfolders, as for kohya's trainers.
class PhotoFoldersRunTest {
    private static final MethodSettings ATOMS = MethodSettings.of(MethodName.ATOMS);
    private static final PartialTrigger NONE = new PartialTrigger(Optional.empty(), Optional.empty());
    @TempDir
    Path folder;
    private Path photos;
    private Path classImages;

    @BeforeEach
    void make() throws Exception {
        photos = folder.resolve("pictures");
        classImages = folder.resolve("reg");
        photo(photos.resolve("10_sks car/a.png"), 0);
        photo(classImages.resolve("1_car/a.png"), 5);
    }

    private static void photo(Path file, int number) throws Exception {
        Files.createDirectories(file.getParent());
        PngWriter.write(file, RunTest.photo(number), Map.of());
    }

    private static TrainingConfig withPrior(Path source) {
        return TrainingConfig.of(ATOMS)
                .with(Map.of(TrainingSetting.CLASS_IMAGES, source.toString(), TrainingSetting.PRIOR_LOSS_WEIGHT, 1.0));
    }

    private static List<String> names(PartialTrigger words) {
        return List.of(words.token().orElse("-"), words.className().orElse("-"));
    }

    @Test
    void folderNameCompletesMissingWords() throws Exception {
        assertEquals(List.of("sks", "car"), names(NONE.completedFrom(photos, TrainingConfig.of(ATOMS))));
        assertEquals(List.of("sks", "boat"), names(new PartialTrigger(Optional.empty(), Optional.of("boat"))
                .completedFrom(photos, TrainingConfig.of(ATOMS))));
        assertEquals(List.of("ohwx", "car"), names(new PartialTrigger(Optional.of("ohwx"), Optional.empty())
                .completedFrom(photos, TrainingConfig.of(ATOMS))));
        photo(folder.resolve("one/4_ohwx/a.png"), 1);
        assertEquals(List.of("ohwx", "-"), names(NONE.completedFrom(folder.resolve("one"), TrainingConfig.of(ATOMS))));
        assertEquals(List.of("ohwx", "car"), names(NONE.completedFrom(folder.resolve("one"), withPrior(classImages))),
                "the class images' folder names the class");
        photo(photos.resolve("2_sks dog/a.png"), 1);
        assertThrows(Failure.Incompatible.class, () -> NONE.completedFrom(photos, TrainingConfig.of(ATOMS)));
        assertEquals(List.of("sks", "car"), names(new PartialTrigger(Optional.empty(), Optional.of("car"))
                .completedFrom(photos, TrainingConfig.of(ATOMS))), "given words take precedence");
    }

    @Test
    void preparedPhotosRoundTripThroughTheRunFolder() throws Exception {
        photo(photos.resolve("5_sks car/a.png"), 1);
        photo(classImages.resolve("3_car/b.png"), 6);
        Files.writeString(photos.resolve("5_sks car/a.txt"), "a {} at night");
        DiffusionModel model = TinyModel.make(folder.resolve("model"), "sd1");
        TrainingConfig config = withPrior(classImages).with(TrainingConfig.Feature.CAPTIONS);
        TrainingRequest request = TrainingRequest.of(model.path(), photos, "car", ATOMS).with(config).withSteps(2);
        List<String> warnings = new ArrayList<>();
        EventSink listener = event -> {
            if (event instanceof TrainingEvent.Note note) warnings.add(note.message());
        };
        TrainingService tuning = new TrainingService(new TrainingEnvironment(Device.CPU, 1, RunTest.home()));
        Path run = folder.resolve("run");
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                tuning.run(request, run, RunControl.none(), listener));
        RunInfo info = new RunFolder(run).info();
        assertEquals(List.of(10, 5), info.subject().photos().stream().map(RunInfo.PhotoInfo::repeats).toList());
        assertEquals(List.of(List.of(), List.of("a sks car at night")),
                info.subject().photos().stream().map(RunInfo.PhotoInfo::captions).toList(),
                "a caption belongs to the photo in its folder");
        assertEquals(List.of(1, 3), info.config().classImages().stream().map(RunInfo.PhotoInfo::repeats).toList());
        assertTrue(warnings.contains(
                photos.resolve("10_sks car") + ": the folder's name gives 10 repeats and the words \"sks car\""),
                warnings.toString());
        assertTrue(
                warnings.contains(
                        classImages.resolve("3_car") + ": the folder's name gives 3 repeats and the words \"car\""),
                warnings.toString());
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                tuning.resume(run, RunControl.none(), EventSink.none()));

        Files.move(photos.resolve("5_sks car"), photos.resolve("6_sks car"));
        String changed = assertThrows(Failure.Incompatible.class,
                () -> tuning.run(request, run, RunControl.none(), EventSink.none())).getMessage();
        assertTrue(changed.contains("repeated 6"), changed);
    }

    @Test
    void warnsOfDifferingFolderWords() throws Exception {
        photo(photos.resolve("2_sks dog/a.png"), 1);
        List<String> warnings = reading("sks car").prepare(photos).warnings();
        assertTrue(warnings.contains(photos.resolve("2_sks dog")
                + ": the folder's name gives 2 repeats; its words \"sks dog\" are ignored, "
                + "the run uses \"sks car\""),
                warnings.toString());
    }

    @Test
    void usesSubfoldersWithOtherNamesAndWarns() throws Exception {
        Path plain = folder.resolve("plain");
        photo(plain.resolve("front/a.png"), 1);
        photo(plain.resolve("side/a.png"), 2);
        PreparedPhotos prepared = reading("sks car").prepare(plain);
        assertEquals(2, prepared.photos().size());
        assertTrue(prepared.warnings().contains(plain + ": uses the photos of its folders front, side"),
                prepared.warnings().toString());
    }

    @Test
    void rejectsKohyaProjectFolderAndNamesTheImageFolder() throws Exception {
        String message = assertThrows(Failure.Unreadable.class, () -> PhotoFiles.of(folder)).getMessage();
        assertTrue(message.contains("2 folders without photos")
                && message.contains("choose " + photos + " itself to use them"), message);
    }

    @Test
    void readsTheKohyaFolderCase() throws Exception {
        Path given = Shared.file("cases/pictures-in-subfolders/pictures");
        PhotoFiles files = PhotoFiles.of(given);
        assertTrue(!files.photos().isEmpty() && files.folderOf(files.photos().getFirst()).kohya().isPresent(),
                files.toString());
        assertTrue(NONE.completedFrom(given, TrainingConfig.of(ATOMS)).className().isPresent());
    }

    private static PhotoPreparation reading(String subject) {
        return new PhotoPreparation(TrainingConfig.of(ATOMS),
                new CropPolicy(TrainingConfig.CropMode.CENTRE, 16, 8), new Captions(subject, ""));
    }
}
