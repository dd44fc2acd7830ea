package atomstudio.app.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import atomstudio.app.process.ChildProcessLauncher;
import atomstudio.app.runtime.Home;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ProviderDevice;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// The child process is a shell script that does what a provider may do.
@DisabledOnOs(OS.WINDOWS)
class ChildProcessTrialTest {
    @TempDir
    Path home;

    private List<ProviderDevice> register(String script) throws Failure, InterruptedException {
        ChildProcessLauncher launcher = new ChildProcessLauncher(List.of("/bin/sh", "-c", script), new Home(home));
        return new ChildProcessTrial(launcher).register("fake", home.resolve("libfake.so"), () -> false);
    }

    private String refuse(String script) {
        return assertThrows(Failure.DeviceUnavailable.class, () -> register(script)).getMessage();
    }

    @Test
    void theLastLineHasTheDevices() throws Exception {
        List<ProviderDevice> devices = register("""
                echo "a plugin's own words"
                echo '{"devices": [{"name": "fake-npu", "provider": "Fake", "vendor": "", "kind": "npu", "model": "",\
                 "precision": "float16"}]}'
                """);
        assertEquals(List.of("fake-npu"), devices.stream().map(ProviderDevice::name).toList());
    }

    @Test
    void aCrashIsNamed() {
        assertEquals("execution provider fake cannot be used: its code crashed when it was tried (exit code 139)",
                refuse("kill -SEGV $$"));
        assertEquals("execution provider fake cannot be used: its code crashed when it was tried (exit code 134)",
                refuse("exit 134"));
    }

    @Test
    void aFailureHasTheReasonOfTheChildProcess() {
        assertEquals("execution provider fake cannot be used: libfake.so: no driver",
                refuse("echo 'studio: libfake.so: no driver' >&2; exit 1"));
        assertEquals("execution provider fake cannot be used: the trial ended with exit code 3", refuse("exit 3"));
    }
}
