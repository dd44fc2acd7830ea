package atomstudio.app.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.pipeline.PromptAdapters.AdapterReference;
import atomstudio.app.runtime.Home;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.PromptPair;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PromptAdaptersTest {
    @TempDir
    Path folder;

    private Path file(String path) throws Exception {
        Path file = folder.resolve(path);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, "");
    }

    private PromptAdapters read(String text) throws Failure {
        return PromptAdapters.parse(new PromptPair(text, "blurry"), new Home(folder));
    }

    @Test
    void findsFilesOfTheHomeAndRuns() throws Exception {
        Path ink = file("adapters/ink drawing.safetensors"), toy = file("adapters/0a1b2c3d/toy.pt"),
                run = file("runs/car-atoms/adapter.safetensors");
        PromptAdapters read = read("a car <lora:ink drawing:0.8>, snow<lyco:toy> <lora:car-atoms:1.5:0.5>");
        assertEquals(new PromptPair("a car , snow ", "blurry"), read.prompt());
        assertEquals(List.of(new AdapterReference(ink, 0.8), new AdapterReference(toy, 1),
                new AdapterReference(run, 0.5, 1.5)), read.references());
        assertEquals(List.of(), read.warnings());
    }

    @Test
    void promptWithoutTagsIsUnchanged() throws Exception {
        for (String text : List.of("a < b > c", "<lora>", "a (b:1.2) [c:d:3] \\$1", "AND\u00e9")) {
            assertEquals(new PromptAdapters(new PromptPair(text, "blurry"), List.of(), List.of()), read(text), text);
        }
    }

    @Test
    void warnsAboutUnknownNamesAndUnsupportedSyntax() throws Exception {
        file("adapters/x.safetensors");
        PromptAdapters read = read("a <lora:../adapters/x:1> car AND a <hypernet:old:1> dog");
        assertEquals(List.of(), read.references());
        assertEquals("a  car AND a <hypernet:old:1> dog", read.prompt().positive());
        assertEquals(3, read.warnings().size());
        assertTrue(read.warnings().get(0).contains("<lora:../adapters/x:1>")
                && read.warnings().get(0).contains("add it as an adapter"), read.warnings().get(0));
        assertTrue(read.warnings().get(1).startsWith("AND in a prompt is read as plain text"), read.warnings().get(1));
        PromptAdapters negative = PromptAdapters.parse(new PromptPair("a", "<lora:x:1>"), new Home(folder));
        assertEquals(1, negative.warnings().size());
        assertEquals("<lora:x:1>", negative.prompt().negative());
    }

    @Test
    void rejectsInvalidWeights() {
        for (String weight : List.of("-10.1", "12", "strong", "NaN", "Infinity", "1:11", "1:NaN", "te=x", "unet=100",
                "1:te=-11")) {
            String message = assertThrows(Failure.Incompatible.class, () -> read("a <lora:x:" + weight + ">"), weight)
                    .getMessage();
            assertTrue(message.contains("<lora:x:" + weight + ">") && message.contains("-10 to 10"), message);
        }
    }

    /// As in A1111's extra_networks_lora.py: positions, then names; the UNet's weight defaults to the text encoder's.
    @Test
    void firstWeightIsTheTextEncodersSecondTheUNets() throws Exception {
        Path x = file("adapters/x.safetensors");
        Map<String, AdapterReference> expected = new LinkedHashMap<>();
        expected.put("<lora:x>", new AdapterReference(x, 1, 1));
        expected.put("<lora:x:0.5>", new AdapterReference(x, 0.5, 0.5));
        expected.put("<lora:x:-1>", new AdapterReference(x, -1, -1));
        expected.put("<lora:x:8.5>", new AdapterReference(x, 8.5, 8.5));
        expected.put("<lora:x:0:1>", new AdapterReference(x, 1, 0));
        expected.put("<lora:x:te=0:unet=1>", new AdapterReference(x, 1, 0));
        expected.put("<lora:x:TE=0.25>", new AdapterReference(x, 0.25, 0.25));
        expected.put("<lora:x:unet=0.25>", new AdapterReference(x, 0.25, 1));
        expected.put("<lora:x:0.5:unet=-2>", new AdapterReference(x, -2, 0.5));
        expected.put("<lora:x:0.5:0.75:te=1>", new AdapterReference(x, 0.75, 1));
        expected.put("<lora:x::0.5>", new AdapterReference(x, 0.5, 1));
        expected.put("<lora: x : 0.5 : 0.75 >", new AdapterReference(x, 0.75, 0.5));
        expected.put("<lyco:x:0:1>", new AdapterReference(x, 1, 0));
        for (Map.Entry<String, AdapterReference> one : expected.entrySet()) {
            PromptAdapters read = read("a " + one.getKey() + "car");
            assertEquals(List.of(one.getValue()), read.references(), one.getKey());
            assertEquals("a car", read.prompt().positive(), one.getKey());
            assertEquals(List.of(), read.warnings(), one.getKey());
        }
    }

    @Test
    void readsAnyCaseAndWarnsAboutMisspelledTags() throws Exception {
        Path x = file("adapters/x.safetensors");
        for (String tag : List.of("<LORA:x:0.5>", "<Lora:x:0.5>", "<LyCo:x:0.5>")) {
            PromptAdapters read = read(tag + " a red car");
            assertEquals(List.of(new AdapterReference(x, 0.5)), read.references(), tag);
            assertTrue(read.warnings().getFirst().contains(tag), read.warnings().toString());
        }
        for (String text : List.of("a red car <lora:x:1", "<lora:x:1 a red car, <b>", "< lora:x:1> a red car",
                "<lora :x:1> a red car")) {
            PromptAdapters read = read(text);
            assertEquals(List.of(), read.references(), text);
            assertEquals(text, read.prompt().positive());
            assertTrue(read.warnings().getFirst().contains("read as plain text: expected <lora:NAME:WEIGHT>"),
                    read.warnings().toString());
        }
        for (String text : List.of("<lora::1> a red car", "<lora:> a red car", "<lora: :1> a red car")) {
            PromptAdapters read = read(text);
            assertEquals(List.of(), read.references(), text);
            assertEquals(" a red car", read.prompt().positive());
            assertTrue(read.warnings().getFirst().contains("expected a name"), read.warnings().toString());
        }
    }

    @Test
    void ignoresBlockWeightsWithAWarning() throws Exception {
        Path x = file("adapters/x.safetensors");
        for (String behind : List.of("lbw=NONE", "1:lbw=NONE", "1:1:lbw=IN02:start=5", "1:IN02", "1:0,0,0,1,1", "1:1:8",
                "1:dyn=4")) {
            PromptAdapters read = read("<lora:x:" + behind + "> a red car");
            assertEquals(List.of(new AdapterReference(x, 1)), read.references(), behind);
            assertEquals(1, read.warnings().size());
            assertTrue(read.warnings().getFirst().contains("is ignored: expected the weight"),
                    read.warnings().toString());
        }
        assertTrue(read("<lora:x:1:lbw=NONE> a").warnings().getFirst().contains("lbw=NONE"));
    }

    @Test
    void findsNamesInSubfoldersAndWithSpaces() throws Exception {
        Path deep = file("adapters/style/old/ink.safetensors"), blank = file("adapters/pen .safetensors"),
                dotted = file("adapters/v1.5.ckpt");
        for (String name : List.of("ink", "style/old/ink", "style\\old\\ink", "ink.safetensors",
                "style/old/ink.safetensors", " ink ")) {
            assertEquals(List.of(new AdapterReference(deep, 1)), read("<lora:" + name + ">").references(), name);
        }
        for (String name : List.of("pen", "pen ", " pen "))
            assertEquals(List.of(new AdapterReference(blank, 1)), read("<lora:" + name + ":1>").references(), name);
        assertEquals(List.of(new AdapterReference(dotted, 1)), read("<lora:v1.5>").references());
        assertEquals(List.of(), read("<lora:old/ink>").references(), "not with only some of its folders");
        Path other = file("adapters/new/ink.pt");
        PromptAdapters two = read("<lora:ink>");
        assertEquals(List.of(new AdapterReference(other, 1)), two.references());
        assertTrue(two.warnings().getFirst().contains("1 more files have that name"), two.warnings().toString());
        assertEquals(List.of(), read("<lora:style/old/ink>").warnings());
    }

    @Test
    void suggestsTheNearestName() throws Exception {
        file("adapters/watercolour.safetensors");
        file("adapters/house.safetensors");
        file("runs/car-atoms/adapter.safetensors");
        assertTrue(read("<lora:watercolor>").warnings().getFirst().contains("found neither, but watercolour;"),
                read("<lora:watercolor>").warnings().toString());
        assertTrue(read("<lora:Car-Atoms>").warnings().getFirst().contains("found neither, but car-atoms;"));
        assertTrue(read("<lora:zebra crossing>").warnings().getFirst().contains("found neither;"));
    }

    @Test
    void parsesHugePromptsQuickly() throws Exception {
        file("adapters/x.safetensors");
        int many = 200_000;
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            for (String part : List.of("<lora:", "<lora:y:1>", "<lora:x", "<LORA::1>", "< ", "<hypernet:", "AND ",
                    "<lora:x:1:", "\\", "<lora:" + "y".repeat(300) + ">")) {
                PromptAdapters read = read(part.repeat(many / part.length() + 1));
                assertTrue(read.warnings().size() <= 50, part);
            }
            read("<lora:x:" + "1:".repeat(many) + ">");
            assertTrue(assertThrows(Failure.Incompatible.class, () -> read("<lora:x:" + "9".repeat(many) + ">"))
                    .getMessage()
                    .length() < 500);
            assertTrue(assertThrows(Failure.Incompatible.class, () -> read("<lora:x>".repeat(101))).getMessage()
                    .contains("more than 100"));
        });
    }
}
