package atomstudio.app.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.benchmark.BenchmarkDataset.Subject;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchmarkDatasetTest {
    private static final Path SAMPLES = Shared.root().resolve("assets/subjects");

    @TempDir
    Path folder;

    private static String refusal(Path folder, String... subjects) {
        return String.valueOf(assertThrows(Failure.class,
                () -> BenchmarkDataset.read(List.of(folder), List.of(subjects))).getMessage());
    }

    @Test
    void sampleSubjectsHaveThePublishedPrompts() throws Failure {
        BenchmarkDataset dataset = BenchmarkDataset.read(List.of(SAMPLES), List.of());
        assertEquals(10, dataset.subjects().size());
        assertEquals(List.of("cat", "owl"),
                dataset.subjects().stream().filter(Subject::live).map(Subject::name).toList());
        assertEquals(25, dataset.prompts().objects().size());
        assertEquals(25, dataset.prompts().live().size());
        assertEquals("a {} in the jungle", dataset.prompts().objects().getFirst());
        assertEquals("a {} wearing a red hat", dataset.prompts().live().get(10));
        assertEquals(dataset.prompts().objects().subList(20, 25), dataset.prompts().live().subList(20, 25));
    }

    @Test
    void readsThePublishedLayoutAndSeveralFolders() throws Failure {
        Path photos = Shared.file("data/photos");
        BenchmarkDataset dataset = BenchmarkDataset.read(List.of(SAMPLES, photos), List.of());
        assertEquals(14, dataset.subjects().size(), "of the 30 published subjects four have a folder");
        Subject dog = dataset.subjects().stream().filter(subject -> subject.name().equals("dog3")).findFirst().get();
        assertEquals("dog", dog.className());
        assertTrue(dog.live());
        assertEquals(List.of("duck_toy", "dog3"), BenchmarkDataset.read(List.of(photos), List.of("duck_toy", "dog3"))
                .subjects()
                .stream()
                .map(Subject::name)
                .sorted(java.util.Comparator.reverseOrder())
                .toList());
    }

    @Test
    void ownSubjectsAreNamedWithTheirClass() throws Exception {
        Path mine = Files.createDirectories(folder.resolve("rex"));
        Files.copy(SAMPLES.resolve("car/00.png"), mine.resolve("0.png"));
        Subject rex = BenchmarkDataset.read(List.of(folder), List.of("rex:dog")).subjects().getFirst();
        assertEquals(new Subject("rex", "dog", true, mine), rex);
        assertTrue(refusal(folder, "rex").contains("NAME:CLASS"));
        assertTrue(refusal(folder).contains("found none"));
        assertTrue(refusal(folder.resolve("missing")).contains("found nothing"));
    }

    @Test
    void damagedListsAreNamed() throws IOException {
        Files.createDirectory(folder.resolve("cat"));
        Path list = folder.resolve("prompts_and_classes.txt");
        Files.writeString(list, "subjects\ncat,cat\n");
        assertTrue(refusal(folder).contains("subject_name,class"));
        Files.writeString(list, "subject_name,class\ncat\nPrompts\n");
        assertTrue(refusal(folder).contains("NAME,CLASS"));
        Files.writeString(list, "subject_name,class\ncat,cat\nPrompts\nObject Prompts\n'a cat'.format(x)\n]\n");
        assertTrue(refusal(folder).contains("without {0} {1}"));
    }
}
