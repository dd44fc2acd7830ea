package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.hub.FakeHub;
import atomstudio.app.runtime.Assets;
import atomstudio.app.runtime.Home;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A download in a process of its own, which is killed in the middle.
class ModelsGetProcessTest {
    private static final String WEIGHTS = "unet/diffusion_pytorch_model.safetensors";

    @TempDir
    private Path folder;

    @Test
    void killedDownloadIsNoModelAndContinues() throws Exception {
        Path home = folder.resolve("home");
        Path model = home.resolve("models/atom/small");
        Path part = home.resolve("models/atom/.small.download").resolve(WEIGHTS + ".part");
        try (FakeHub hub = FakeHub.start()) {
            hub.repository("atom/small").addFolder(Assets.find().defaultModel());
            hub.limitSpeed(8_000_000);
            Process process = start(hub);
            for (int wait = 0; wait < 600 && part.toFile().length() < 2_000_000; wait++) Thread.sleep(100);
            process.destroyForcibly();
            assertTrue(process.waitFor(20, TimeUnit.SECONDS));
            assertTrue(part.toFile().length() >= 2_000_000, output("1"));
            assertFalse(Files.exists(model));
            CommandLineRun list = CommandLineRun.of(home, "models");
            assertEquals(1, list.out().lines().filter(line -> line.startsWith("  kind")).count());
            assertTrue(list.err().startsWith("Unfinished: atom/small, "), list::err);
            hub.limitSpeed(Integer.MAX_VALUE);
            Process second = start(hub);
            assertTrue(second.waitFor(120, TimeUnit.SECONDS));
            assertEquals(ExitCode.SUCCESS, second.exitValue(), output("2"));
            long from = Long.parseLong(hub.requests(WEIGHTS).getLast().range().replaceAll("\\D", ""));
            assertTrue(from >= 2_000_000, from + " bytes are not downloaded again");
        }
        assertEquals(-1, Files.mismatch(Assets.find().defaultModel().resolve(WEIGHTS), model.resolve(WEIGHTS)));
        assertFalse(Files.exists(home.resolve("models/atom/.small.download")));
        assertEquals("rwx------", PosixFilePermissions
                .toString(Files.getPosixFilePermissions(model)), "readable by the owner only");
        CommandLineRun inspected = CommandLineRun.of(home, "inspect", model);
        assertEquals(ExitCode.SUCCESS, inspected.exitCode(), inspected::err);
    }

    private Process start(FakeHub hub) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC", "-cp",
                System.getProperty("java.class.path"), Main.class.getName(), "models", "get", "atom/small", "--hub",
                hub.address().toString(), "--accept-licence"));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(folder.resolve("output").toFile());
        builder.environment().put(Home.ENVIRONMENT_VARIABLE, folder.resolve("home").toString());
        return builder.start();
    }

    private String output(String run) throws Exception {
        return run + ": " + Files.readString(folder.resolve("output"));
    }
}
