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
import atomstudio.tuning.TinyModel;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.data.Captions;
import atomstudio.tuning.data.CropPolicy;
import atomstudio.tuning.data.PartialTrigger;
import atomstudio.tuning.data.PhotoFiles;
import atomstudio.tuning.data.PhotoPreparation;
import atomstudio.tuning.data.PreparedPhotos;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.TrainingEvent;
import atomstudio.tuning.run.EventSink;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Photos in the folders of a folder, as kohya's trainers have them.
class PhotoFoldersRunTest {
    private static final MethodSettings ATOMS = MethodSettings.of(MethodName.ATOMS);
    private static final PartialTrigger NONE = new PartialTrigger(Optional.empty(), Optional.empty());
    @TempDir
    Path folder;
    private Path pictures;
    private Path classImages;

    @BeforeEach
    void make() throws Exception {
        pictures = folder.resolve("pictures");
        classImages = folder.resolve("reg");
        photo(pictures.resolve("10_sks car/a.png"), 0);
        photo(classImages.resolve("1_car/a.png"), 5);
    }

    private static void photo(Path file, int number) throws Exception {
        Files.createDirectories(file.getParent());
        PngWriter.write(file, RunTest.picture(number), Map.of());
    }

    private static TrainingConfig withPrior(Path source) {
        return TrainingConfig.of(ATOMS)
                .with(new TrainingConfig.LossConfig(0, 0,
                        Optional.of(new TrainingConfig.PriorPreservation(source.toString(), 1))));
    }

    private static List<String> names(PartialTrigger words) {
        return List.of(words.token().orElse("-"), words.className().orElse("-"));
    }

    @Test
    void oneFolderGivesTheWordsThatAreNotGiven() throws Exception {
        assertEquals(List.of("sks", "car"), names(NONE.completedFrom(pictures, TrainingConfig.of(ATOMS))));
        assertEquals(List.of("sks", "boat"), names(new PartialTrigger(Optional.empty(), Optional.of("boat"))
                .completedFrom(pictures, TrainingConfig.of(ATOMS))));
        assertEquals(List.of("ohwx", "car"), names(new PartialTrigger(Optional.of("ohwx"), Optional.empty())
                .completedFrom(pictures, TrainingConfig.of(ATOMS))));
        photo(folder.resolve("one/4_ohwx/a.png"), 1);
        assertEquals(List.of("ohwx", "-"), names(NONE.completedFrom(folder.resolve("one"), TrainingConfig.of(ATOMS))));
        assertEquals(List.of("ohwx", "car"), names(NONE.completedFrom(folder.resolve("one"), withPrior(classImages))),
                "the class images' folder names the class");
        photo(pictures.resolve("2_sks dog/a.png"), 1);
        assertThrows(Failure.Incompatible.class, () -> NONE.completedFrom(pictures, TrainingConfig.of(ATOMS)));
        assertEquals(List.of("sks", "car"), names(new PartialTrigger(Optional.empty(), Optional.of("car"))
                .completedFrom(pictures, TrainingConfig.of(ATOMS))), "given ones win");
    }

    @Test
    void aRunKeepsWhatWasRead() throws Exception {
        photo(pictures.resolve("5_sks car/a.png"), 1);
        photo(classImages.resolve("3_car/b.png"), 6);
        Files.writeString(pictures.resolve("5_sks car/a.txt"), "a {} at night");
        DiffusionModel model = TinyModel.make(folder.resolve("model"), "sd1");
        TrainingConfig recipe = withPrior(classImages).with(TrainingConfig.Feature.CAPTIONS);
        TrainingRequest request = TrainingRequest.of(model.path(), pictures, "car", ATOMS).with(recipe).withSteps(2);
        List<String> notes = new ArrayList<>();
        EventSink listener = event -> {
            if (event instanceof TrainingEvent.Note note) notes.add(note.message());
        };
        TrainingService tuning = new TrainingService(new TrainingEnvironment(Device.CPU, 1, RunTest.home()));
        Path run = folder.resolve("run");
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                tuning.run(request, run, RunControl.none(), listener));
        RunInfo info = new RunFolder(run).info();
        assertEquals(List.of(10, 5), info.subject().photos().stream().map(RunInfo.PhotoInfo::repeats).toList());
        assertEquals(List.of(List.of(), List.of("a sks car at night")),
                info.subject().photos().stream().map(RunInfo.PhotoInfo::captions).toList(),
                "of two files of one name, the caption beside it counts");
        assertEquals(List.of(1, 3), info.config().classImages().stream().map(RunInfo.PhotoInfo::repeats).toList());
        assertTrue(notes.contains(
                pictures.resolve("10_sks car") + ": the folder's name gives 10 repeats and the words \"sks car\""),
                notes.toString());
        assertTrue(
                notes.contains(
                        classImages.resolve("3_car") + ": the folder's name gives 3 repeats and the words \"car\""),
                notes.toString());
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                tuning.resume(run, RunControl.none(), EventSink.none()));

        Files.move(pictures.resolve("5_sks car"), pictures.resolve("6_sks car"));
        String changed = assertThrows(Failure.Incompatible.class,
                () -> tuning.run(request, run, RunControl.none(), EventSink.none())).getMessage();
        assertTrue(changed.contains("repeated 6"), changed);
    }

    @Test
    void wordsThatDifferFromTheGivenOnesAreTold() throws Exception {
        photo(pictures.resolve("2_sks dog/a.png"), 1);
        List<String> notes = reading("sks car").prepare(pictures).warnings();
        assertTrue(notes.contains(pictures.resolve("2_sks dog")
                + ": the folder's name gives 2 repeats; its words \"sks dog\" differ from those of the run, \"sks car\", which count"),
                notes.toString());
    }

    @Test
    void foldersOfOtherNamesAreTakenAndTold() throws Exception {
        Path plain = folder.resolve("plain");
        photo(plain.resolve("front/a.png"), 1);
        photo(plain.resolve("side/a.png"), 2);
        PreparedPhotos crops = reading("sks car").prepare(plain);
        assertEquals(2, crops.photos().size());
        assertTrue(crops.warnings().contains(plain + ": the photos of the folders in it are taken: front, side"),
                crops.warnings().toString());
    }

    @Test
    void theProjectFolderOfKohyasTrainersIsRefusedWithTheFolderToGive() throws Exception {
        String message = assertThrows(Failure.Unreadable.class, () -> PhotoFiles.of(folder)).getMessage();
        assertTrue(message.contains("2 folders without photos")
                && message.contains("choose " + pictures + " itself to use them"), message);
    }

    @Test
    void theCaseOfThisIsTaken() throws Exception {
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
