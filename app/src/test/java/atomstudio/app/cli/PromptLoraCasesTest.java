package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.image.ImageFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// LoRA tags in prompts, with the shared cases.
class PromptLoraCasesTest {
    @TempDir
    Path folder;
    private int generated;

    private record Outcome(Path file, String err) {
        int[] pixels() throws Exception {
            return ImageFiles.read(file).argb();
        }
    }

    private Outcome generate(String prompt, Object... more) {
        Path out = folder.resolve(generated++ + ".png");
        List<Object> arguments = new ArrayList<>(List.of("generate", "--prompt", prompt, "--steps", 2, "--seed", 1,
                "--width", 64, "--height", 64, "--out", out));
        arguments.addAll(List.of(more));
        CommandLineRun run = CommandLineRun.of(folder, arguments.toArray());
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        return new Outcome(out, run.err());
    }

    private Path adapter(String name) throws Exception {
        Path source = Shared.file("cases/" + name + "/x.safetensors");
        Files.createDirectories(folder.resolve("adapters"));
        return Files.copy(source, folder.resolve("adapters/x.safetensors"));
    }

    @Test
    void negativeWeightSubtractsTheLora() throws Exception {
        Path x = adapter("prompt-lora-below-zero");
        Path minus = Shared.file("cases/prompt-lora-below-zero/minus.safetensors");
        int[] expected = generate("a red car", "--adapter", minus).pixels();
        assertArrayEquals(expected, generate("<lora:x:-1>a red car").pixels());
        assertArrayEquals(expected, generate("a red car", "--adapter", x, "--adapter-weight", -1).pixels());
        assertArrayEquals(generate("a red car", "--adapter", minus, "--adapter-weight", -3).pixels(),
                generate("<lora:x:3>a red car").pixels());
        assertFalse(Arrays.equals(expected, generate("a red car").pixels()));
    }

    @Test
    void secondWeightIsTheUNets() throws Exception {
        Path x = adapter("prompt-lora-two-strengths");
        int[] none = generate("a red car").pixels();
        assertArrayEquals(none, generate("<lora:x:0>a red car").pixels());
        Outcome second = generate("<lora:x:0:1>a red car");
        assertFalse(Arrays.equals(none, second.pixels()));
        assertArrayEquals(second.pixels(), generate("<lora:x:te=0:unet=1>a red car").pixels());
        assertArrayEquals(generate("a red car", "--adapter", x).pixels(), generate("<lora:x:1:1>a red car").pixels());
        assertArrayEquals(Files.readAllBytes(second.file),
                Files.readAllBytes(generate("a red car", "--adapter", second.file).file),
                "the image stores both weights");
    }

    @Test
    void warnsAboutBlockWeights() throws Exception {
        adapter("prompt-lora-block-weights");
        Outcome blocks = generate("<lora:x:1:lbw=NONE>a red car");
        assertTrue(blocks.err.contains("lbw=NONE is ignored"), blocks.err);
        assertArrayEquals(generate("<lora:x:1>a red car").pixels(), blocks.pixels());
    }

    @Test
    void warnsAboutMisspelledTags() throws Exception {
        adapter("prompt-lora-misspelt");
        for (String prompt : List.of("<LORA:x:1> a red car", "a red car <lora:x:1", "<lora::1> a red car")) {
            String tag = prompt.contains("LORA") ? "<LORA:x:1>" : prompt.contains("::") ? "<lora::1>" : "<lora:x:1";
            Outcome outcome = generate(prompt);
            assertTrue(outcome.err.contains(tag), outcome.err);
        }
    }
}
