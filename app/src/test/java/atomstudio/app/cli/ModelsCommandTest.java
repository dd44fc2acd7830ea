package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.hub.FakeHub;
import atomstudio.app.runtime.Assets;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelsCommandTest {
    @TempDir
    private Path home;

    private FakeHub hub;

    @BeforeEach
    void start() throws Exception {
        hub = FakeHub.start();
        hub.repository("atom/small").addFolder(Assets.find().defaultModel());
        assertEquals(ExitCode.SUCCESS, CommandLineRun.of(home, "models", "hub", hub.address()).exitCode());
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    @Test
    void licenceAndFilesAreShownBeforeTheDownload() {
        CommandLineRun run = CommandLineRun.of(home, "models", "get", "atom/small");
        assertEquals(ExitCode.USAGE, run.exitCode(), run::err);
        assertTrue(run.out().contains("33 MB  unet/diffusion_pytorch_model.safetensors"), run::out);
        assertTrue(run.out().contains("licence: creativeml-openrail-m"), run::out);
        assertTrue(run.out().contains("page: " + hub.address() + "/atom/small"), run::out);
        assertTrue(run.err().contains("--accept-licence"), run::err);
        assertFalse(Files.exists(home.resolve("models")));
    }

    @Test
    void downloadedModelIsListed() {
        CommandLineRun run = CommandLineRun.of(home, "models", "get", "atom/small", "--accept-licence");
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        Path folder = home.resolve("models/atom/small");
        assertEquals(folder + System.lineSeparator(), run.out());
        CommandLineRun list = CommandLineRun.of(home, "models", "--json");
        JsonObject downloaded = JsonParser.parseString(list.out()).getAsJsonArray().get(1).getAsJsonObject();
        assertEquals(folder.toString(), downloaded.get("path").getAsString());
        assertEquals("atom/small", downloaded.get("repository").getAsString());
        assertEquals(128, downloaded.get("image size").getAsInt());
        assertEquals(64, downloaded.get("sha256").getAsString().length());
        CommandLineRun named = CommandLineRun.of(home, "generate", "--model", "atom/small", "--prompt", "apple",
                "--steps",
                "1", "--width", "999", "--out", home.resolve("a.png"));
        assertTrue(named.err().contains("999x"), named::err);
        JsonObject builtIn = JsonParser.parseString(list.out()).getAsJsonArray().get(0).getAsJsonObject();
        assertEquals(builtIn.get("sha256"), downloaded.get("sha256"));
        assertTrue(CommandLineRun.of(home, "models").out().contains("  from  atom/small at " + hub.address()));
    }

    @Test
    void gatedRepositoryNeedsTheTokenOfItsHub() throws Exception {
        hub.repository("atom/small").gated = true;
        CommandLineRun without = CommandLineRun.of(home, "models", "get", "atom/small", "--accept-licence");
        assertEquals(ExitCode.FAILED, without.exitCode());
        assertTrue(without.err().contains("Accept the conditions on " + hub.address() + "/atom/small"), without::err);
        Path token = Files.writeString(home.resolve("token.txt"), FakeHub.TOKEN + "\n");
        CommandLineRun saved = CommandLineRun.of(home, "models", "hub", "--token-file", token);
        assertTrue(saved.out().contains("token    saved"), saved::out);
        assertFalse((saved.out() + saved.err()).contains(FakeHub.TOKEN));
        Path out = home.resolve("here");
        CommandLineRun with = CommandLineRun.of(home, "models", "get", "atom/small", "--accept-license", "--out", out,
                "--json");
        assertEquals(ExitCode.SUCCESS, with.exitCode(), with::err);
        assertTrue(Files.isRegularFile(out.resolve("model_index.json")));
        CommandLineRun mirror = CommandLineRun.of(home, "models", "hub", "https://mirror.example");
        assertTrue(mirror.out().contains("token    none"), mirror::out);
    }

    @Test
    void wrongArgumentsAreWrongUsage() {
        for (String[] arguments : new String[][] {{"get", "a/b/c"}, {"get"}, {"get", "a/b", "--hub", "ftp://x"},
                {"hub", "ftp://x"}, {"install"}}) {
            Object[] command = new Object[arguments.length + 1];
            command[0] = "models";
            System.arraycopy(arguments, 0, command, 1, arguments.length);
            CommandLineRun run = CommandLineRun.of(home, command);
            assertEquals(ExitCode.USAGE, run.exitCode(), run::err);
        }
        assertTrue(CommandLineRun.of(home, "models", "get", "--help").out().contains("--accept-licence"));
    }

    @Test
    void missingVariantNamesTheOption() {
        CommandLineRun run = CommandLineRun.of(home, "models", "get", "atom/small", "--variant", "fp16");
        assertEquals(ExitCode.FAILED, run.exitCode());
        assertTrue(run.err().contains("has no variant fp16; it has: Folder, as published; choose with --variant"),
                run::err);
    }

    @Test
    void closedServerIsAPlainSentence() {
        hub.close();
        CommandLineRun run = CommandLineRun.of(home, "models", "get", "atom/small");
        assertEquals(ExitCode.FAILED, run.exitCode());
        assertTrue(run.err().contains("accepts no connection") && run.err().contains("Try again later"), run::err);
    }
}
