package atomstudio.app.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.jobs.PromptAdapters.Named;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Prompt;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PromptAdaptersTest {
    @TempDir Path folder;

    private Path file(String path) throws Exception {
        Path file = folder.resolve(path);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, "");
    }

    private PromptAdapters read(String text) throws Failure {
        return PromptAdapters.of(new Prompt(text, "blurry"), new Home(folder));
    }

    @Test void namesAreFilesOfTheHomeOrRuns() throws Exception {
        Path ink = file("adapters/ink drawing.safetensors"), toy = file("adapters/0a1b2c3d/toy.pt"), run = file("runs/car-atoms/adapter.safetensors");
        PromptAdapters read = read("a car <lora:ink drawing:0.8>, snow<lyco:toy> <lora:car-atoms:1.5:0.5>");
        assertEquals(new Prompt("a car , snow ", "blurry"), read.prompt());
        assertEquals(List.of(new Named(ink, 0.8), new Named(toy, 1), new Named(run, 1.5)), read.named());
        assertEquals(List.of(), read.notes());
    }

    @Test void aPromptThatNamesNoneIsLeftAsItIs() throws Exception {
        for (String text : List.of("a < b > c", "<lora>", "a (b:1.2) [c:d:3] \\$1", "AND\u00e9")) {
            assertEquals(new PromptAdapters(new Prompt(text, "blurry"), List.of(), List.of()), read(text), text);
        }
    }

    @Test void whatIsNotFoundOrNotBuiltIsSaid() throws Exception {
        file("adapters/x.safetensors");
        PromptAdapters read = read("a <lora:../adapters/x:1> car AND a <hypernet:old:1> dog");
        assertEquals(List.of(), read.named());
        assertEquals("a  car AND a <hypernet:old:1> dog", read.prompt().text());
        assertEquals(3, read.notes().size());
        assertTrue(read.notes().get(0).contains("<lora:../adapters/x:1>") && read.notes().get(0).contains("--adapter FILE --strength X"), read.notes().get(0));
        assertTrue(read.notes().get(1).startsWith("AND in a prompt is read as plain text"), read.notes().get(1));
        PromptAdapters negative = PromptAdapters.of(new Prompt("a", "<lora:x:1>"), new Home(folder));
        assertEquals(1, negative.notes().size());
        assertEquals("<lora:x:1>", negative.prompt().negative());
    }

    @Test void aStrengthThatIsNoneIsRefused() {
        for (String strength : List.of("-1", "2.5", "strong", "NaN")) {
            String message = assertThrows(Failure.Incompatible.class, () -> read("a <lora:x:" + strength + ">")).getMessage();
            assertTrue(message.contains("<lora:x:" + strength + ">") && message.contains("0 to 2"), message);
        }
    }
}
