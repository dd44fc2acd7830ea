package atomstudio.app.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.jobs.PromptAdapters.Named;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Prompt;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
        assertEquals(List.of(new Named(ink, 0.8), new Named(toy, 1), new Named(run, 0.5, 1.5)), read.named());
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

    @Test void aWeightThatIsNoneIsRefused() {
        for (String weight : List.of("-10.1", "12", "strong", "NaN", "Infinity", "1:11", "1:NaN", "te=x", "unet=100", "1:te=-11")) {
            String message = assertThrows(Failure.Incompatible.class, () -> read("a <lora:x:" + weight + ">"), weight).getMessage();
            assertTrue(message.contains("<lora:x:" + weight + ">") && message.contains("-10 to 10"), message);
        }
    }

    /// As A1111's extra_networks_lora.py: positions, then names; the UNet's weight is the text encoder's where it is not given.
    @Test void theFirstNumberIsTheTextEncodersTheSecondTheUNets() throws Exception {
        Path x = file("adapters/x.safetensors");
        Map<String, Named> expected = new LinkedHashMap<>();
        expected.put("<lora:x>", new Named(x, 1, 1));
        expected.put("<lora:x:0.5>", new Named(x, 0.5, 0.5));
        expected.put("<lora:x:-1>", new Named(x, -1, -1));
        expected.put("<lora:x:8.5>", new Named(x, 8.5, 8.5));
        expected.put("<lora:x:0:1>", new Named(x, 1, 0));
        expected.put("<lora:x:te=0:unet=1>", new Named(x, 1, 0));
        expected.put("<lora:x:TE=0.25>", new Named(x, 0.25, 0.25));
        expected.put("<lora:x:unet=0.25>", new Named(x, 0.25, 1));
        expected.put("<lora:x:0.5:unet=-2>", new Named(x, -2, 0.5));
        expected.put("<lora:x:0.5:0.75:te=1>", new Named(x, 0.75, 1));
        expected.put("<lora:x::0.5>", new Named(x, 0.5, 1));
        expected.put("<lora: x : 0.5 : 0.75 >", new Named(x, 0.75, 0.5));
        expected.put("<lyco:x:0:1>", new Named(x, 1, 0));
        for (Map.Entry<String, Named> one : expected.entrySet()) {
            PromptAdapters read = read("a " + one.getKey() + "car");
            assertEquals(List.of(one.getValue()), read.named(), one.getKey());
            assertEquals("a car", read.prompt().text(), one.getKey());
            assertEquals(List.of(), read.notes(), one.getKey());
        }
    }

    @Test void anyCaseIsReadAndToldAndWhatIsMisspeltIsTold() throws Exception {
        Path x = file("adapters/x.safetensors");
        for (String tag : List.of("<LORA:x:0.5>", "<Lora:x:0.5>", "<LyCo:x:0.5>")) {
            PromptAdapters read = read(tag + " a red car");
            assertEquals(List.of(new Named(x, 0.5)), read.named(), tag);
            assertTrue(read.notes().getFirst().contains(tag), read.notes().toString());
        }
        for (String text : List.of("a red car <lora:x:1", "<lora:x:1 a red car, <b>", "< lora:x:1> a red car", "<lora :x:1> a red car")) {
            PromptAdapters read = read(text);
            assertEquals(List.of(), read.named(), text);
            assertEquals(text, read.prompt().text());
            assertTrue(read.notes().getFirst().contains("read as plain text: expected <lora:NAME:WEIGHT>"), read.notes().toString());
        }
        for (String text : List.of("<lora::1> a red car", "<lora:> a red car", "<lora: :1> a red car")) {
            PromptAdapters read = read(text);
            assertEquals(List.of(), read.named(), text);
            assertEquals(" a red car", read.prompt().text());
            assertTrue(read.notes().getFirst().contains("expected a name"), read.notes().toString());
        }
    }

    @Test void blockWeightsAreToldAndLeftOut() throws Exception {
        Path x = file("adapters/x.safetensors");
        for (String behind : List.of("lbw=NONE", "1:lbw=NONE", "1:1:lbw=IN02:start=5", "1:IN02", "1:0,0,0,1,1", "1:1:8", "1:dyn=4")) {
            PromptAdapters read = read("<lora:x:" + behind + "> a red car");
            assertEquals(List.of(new Named(x, 1)), read.named(), behind);
            assertEquals(1, read.notes().size());
            assertTrue(read.notes().getFirst().contains("is left out, and the adapter is applied whole"), read.notes().toString());
        }
        assertTrue(read("<lora:x:1:lbw=NONE> a").notes().getFirst().contains("lbw=NONE"));
    }

    @Test void namesInSubfoldersAndWithBlanksAreFound() throws Exception {
        Path deep = file("adapters/style/old/ink.safetensors"), blank = file("adapters/pen .safetensors"), dotted = file("adapters/v1.5.ckpt");
        for (String name : List.of("ink", "style/old/ink", "style\\old\\ink", "ink.safetensors", "style/old/ink.safetensors", " ink ")) {
            assertEquals(List.of(new Named(deep, 1)), read("<lora:" + name + ">").named(), name);
        }
        for (String name : List.of("pen", "pen ", " pen ")) assertEquals(List.of(new Named(blank, 1)), read("<lora:" + name + ":1>").named(), name);
        assertEquals(List.of(new Named(dotted, 1)), read("<lora:v1.5>").named());
        assertEquals(List.of(), read("<lora:old/ink>").named(), "not half of its folders");
        Path other = file("adapters/new/ink.pt");
        PromptAdapters two = read("<lora:ink>");
        assertEquals(List.of(new Named(other, 1)), two.named());
        assertTrue(two.notes().getFirst().contains("1 more of that name"), two.notes().toString());
        assertEquals(List.of(), read("<lora:style/old/ink>").notes());
    }

    @Test void aMisspeltNameIsToldWithTheNearest() throws Exception {
        file("adapters/watercolour.safetensors");
        file("adapters/house.safetensors");
        file("runs/car-atoms/adapter.safetensors");
        assertTrue(read("<lora:watercolor>").notes().getFirst().contains("found neither, but watercolour;"), read("<lora:watercolor>").notes().toString());
        assertTrue(read("<lora:Car-Atoms>").notes().getFirst().contains("found neither, but car-atoms;"));
        assertTrue(read("<lora:zebra crossing>").notes().getFirst().contains("found neither;"));
    }

    @Test void promptsOfMegabytesEndAtOnce() throws Exception {
        file("adapters/x.safetensors");
        int many = 200_000;
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            for (String part : List.of("<lora:", "<lora:y:1>", "<lora:x", "<LORA::1>", "< ", "<hypernet:", "AND ", "<lora:x:1:", "\\", "<lora:" + "y".repeat(300) + ">")) {
                PromptAdapters read = read(part.repeat(many / part.length() + 1));
                assertTrue(read.notes().size() <= 50, part);
            }
            read("<lora:x:" + "1:".repeat(many) + ">");
            assertTrue(assertThrows(Failure.Incompatible.class, () -> read("<lora:x:" + "9".repeat(many) + ">")).getMessage().length() < 500);
            assertTrue(assertThrows(Failure.Incompatible.class, () -> read("<lora:x>".repeat(101))).getMessage().contains("more than 100"));
        });
    }
}
