package atomstudio.app.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs({OS.LINUX, OS.MAC})
class ProcessExitTest {
    private static final int ABORTED = 128 + 6;

    @TempDir
    private Path folder;

    private int exitCode(String way) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED", "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + folder.resolve("crash.log"),
                "-cp", System.getProperty("java.class.path"), Program.class.getName(), way,
                folder.resolve("hook").toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("output").toFile())
                .start();
        try {
            assertTrue(process.waitFor(120, TimeUnit.SECONDS));
            return process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void neitherNativeDestructorsNorShutdownHooksRun() throws Exception {
        assertEquals(7, exitCode("now"));
        assertEquals("last words\n", Files.readString(folder.resolve("output")));
        assertFalse(Files.exists(folder.resolve("hook")));
    }

    /// Why it is needed.
    @Test
    void javasHaltRunsNativeDestructors() throws Exception {
        assertEquals(ABORTED, exitCode("halt"));
    }

    /// Registers a native function that aborts the process when C's `exit` is called, as a destructor may that runs
    /// while another thread uses its library.
    static final class Program {
        public static void main(String[] arguments) throws Throwable {
            Linker linker = Linker.nativeLinker();
            // int __cxa_atexit(void (*function)(void *), void *argument, void *library)
            int result = (int) linker
                    .downcallHandle(linker.defaultLookup().findOrThrow("__cxa_atexit"),
                            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS,
                                    ValueLayout.ADDRESS))
                    .invokeExact(linker.defaultLookup().findOrThrow("abort"), MemorySegment.NULL, MemorySegment.NULL);
            if (result != 0) throw new IllegalStateException("__cxa_atexit: " + result);
            Path hook = Path.of(arguments[1]);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                try {
                    Files.createFile(hook);
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            }));
            System.out.print("last words\n");
            System.out.flush();
            if (arguments[0].equals("now")) ProcessExit.now(7);
            Runtime.getRuntime().halt(7);
        }
    }
}
