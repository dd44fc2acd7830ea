package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.picture.PngWriter;
import atomstudio.tuning.TinyModel;
import atomstudio.tuning.method.MethodSettings;
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
    private static final MethodSettings ATOMS = MethodSettings.of(MethodSettings.MethodName.ATOMS);
    private static final SubjectWords NONE = new SubjectWords(Optional.empty(), Optional.empty());
    @TempDir Path folder;
    private Path pictures;
    private Path classImages;

    @BeforeEach void make() throws Exception {
        pictures = folder.resolve("pictures");
        classImages = folder.resolve("reg");
        photo(pictures.resolve("10_sks car/a.png"), 0);
        photo(classImages.resolve("1_car/a.png"), 5);
    }

    private static void photo(Path file, int number) throws Exception {
        Files.createDirectories(file.getParent());
        PngWriter.write(file, RunTest.picture(number), Map.of());
    }

    private static Recipe withPrior(Path source) {
        return Recipe.of(ATOMS).with(new Recipe.Weighing(0, 0, Optional.of(new Recipe.Prior(source.toString(), 1))));
    }

    private static List<String> names(SubjectWords words) {
        return List.of(words.token().orElse("-"), words.className().orElse("-"));
    }

    @Test void oneFolderGivesTheWordsThatAreNotGiven() throws Exception {
        assertEquals(List.of("sks", "car"), names(NONE.completed(pictures, Recipe.of(ATOMS))));
        assertEquals(List.of("sks", "boat"), names(new SubjectWords(Optional.empty(), Optional.of("boat")).completed(pictures, Recipe.of(ATOMS))));
        assertEquals(List.of("ohwx", "car"), names(new SubjectWords(Optional.of("ohwx"), Optional.empty()).completed(pictures, Recipe.of(ATOMS))));
        photo(folder.resolve("one/4_ohwx/a.png"), 1);
        assertEquals(List.of("ohwx", "-"), names(NONE.completed(folder.resolve("one"), Recipe.of(ATOMS))));
        assertEquals(List.of("ohwx", "car"), names(NONE.completed(folder.resolve("one"), withPrior(classImages))), "the class images' folder names the class");
        photo(pictures.resolve("2_sks dog/a.png"), 1);
        assertThrows(Failure.Incompatible.class, () -> NONE.completed(pictures, Recipe.of(ATOMS)));
        assertEquals(List.of("sks", "car"), names(new SubjectWords(Optional.empty(), Optional.of("car")).completed(pictures, Recipe.of(ATOMS))), "given ones win");
    }

    @Test void aRunKeepsWhatWasRead() throws Exception {
        photo(pictures.resolve("5_sks car/a.png"), 1);
        photo(classImages.resolve("3_car/b.png"), 6);
        Files.writeString(pictures.resolve("5_sks car/a.txt"), "a {} at night");
        DiffusionModel model = TinyModel.make(folder.resolve("model"), "sd1");
        Recipe recipe = withPrior(classImages).with(Recipe.Feature.CAPTIONS);
        TuneRequest request = TuneRequest.of(model.path(), pictures, "car", ATOMS).with(recipe).withSteps(2);
        List<String> notes = new ArrayList<>();
        TuneListener listener = event -> {
            if (event instanceof TuneEvent.Note note) notes.add(note.message());
        };
        Tuning tuning = new Tuning(new Machine(Device.CPU, 1, RunTest.home()));
        Path run = folder.resolve("run");
        assertInstanceOf(TuneOutcome.Finished.class, tuning.run(request, run, Control.none(), listener));
        RunInfo info = new RunFolder(run).info();
        assertEquals(List.of(10, 5), info.subject().pictures().stream().map(RunInfo.Picture::repeats).toList());
        assertEquals(List.of(List.of(), List.of("a sks car at night")), info.subject().pictures().stream().map(RunInfo.Picture::captions).toList(), "of two files of one name, the caption beside it counts");
        assertEquals(List.of(1, 3), info.training().prior().stream().map(RunInfo.Picture::repeats).toList());
        assertTrue(notes.contains(pictures.resolve("10_sks car") + ": the folder's name gives 10 repeats and the words \"sks car\""), notes.toString());
        assertTrue(notes.contains(classImages.resolve("3_car") + ": the folder's name gives 3 repeats and the words \"car\""), notes.toString());
        assertInstanceOf(TuneOutcome.Finished.class, tuning.resume(run, Control.none(), TuneListener.silent()));

        Files.move(pictures.resolve("5_sks car"), pictures.resolve("6_sks car"));
        String changed = assertThrows(Failure.Incompatible.class, () -> tuning.run(request, run, Control.none(), TuneListener.silent())).getMessage();
        assertTrue(changed.contains("repeated 6"), changed);
    }

    @Test void wordsThatDifferFromTheGivenOnesAreTold() throws Exception {
        photo(pictures.resolve("2_sks dog/a.png"), 1);
        List<String> notes = Crops.of(pictures, reading("sks car")).notes();
        assertTrue(notes.contains(pictures.resolve("2_sks dog") + ": the folder's name gives 2 repeats; its words \"sks dog\" differ from those of the run, \"sks car\", which count"), notes.toString());
    }

    @Test void foldersOfOtherNamesAreTakenAndTold() throws Exception {
        Path plain = folder.resolve("plain");
        photo(plain.resolve("front/a.png"), 1);
        photo(plain.resolve("side/a.png"), 2);
        Crops crops = Crops.of(plain, reading("sks car"));
        assertEquals(2, crops.prepared().size());
        assertTrue(crops.notes().contains(plain + ": the photos of the folders in it are taken: front, side"), crops.notes().toString());
    }

    @Test void theProjectFolderOfKohyasTrainersIsRefusedWithTheFolderToGive() throws Exception {
        String message = assertThrows(Failure.Unreadable.class, () -> SubjectFiles.of(folder)).getMessage();
        assertTrue(message.contains("2 folders without photos") && message.contains("give " + pictures + " itself to take it"), message);
    }

    @Test void theCaseOfThisIsTaken() throws Exception {
        Path given = Shared.file("cases/pictures-in-subfolders/pictures");
        SubjectFiles files = SubjectFiles.of(given);
        assertTrue(!files.pictures().isEmpty() && files.part(files.pictures().getFirst()).kohya().isPresent(), files.toString());
        assertTrue(NONE.completed(given, Recipe.of(ATOMS)).className().isPresent());
    }

    private static Crops.Reading reading(String subject) {
        return new Crops.Reading(Recipe.of(ATOMS), new Framing(Recipe.Crop.CENTRE, 16, 8), new Captions(subject, ""));
    }
}
