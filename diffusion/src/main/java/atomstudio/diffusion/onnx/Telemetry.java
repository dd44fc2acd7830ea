package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Switches off the telemetry client that ONNX Runtime's libraries for Linux and macOS carry. It starts when the environment is created, writes a
/// device id under `~/.cache` and queues events before `OrtEnvironment.setTelemetry(false)` can be called; only a variable in the process's
/// environment prevents that. Launchers set it; here it is set for processes that were started without. The library for Windows holds no such
/// client: its events go to the system's tracing, which `setTelemetry(false)` ends.
/// Source: ONNX Runtime 1.29, core/platform/posix/telemetry.cc.
final class Telemetry {
    static final String VARIABLE = "ORT_DISABLE_TELEMETRY";
    private static final String YES = "1";

    private Telemetry() {}

    /// To be called before the library is loaded. Java's own copy of the environment does not change.
    /// @throws Failure.NoDevice when the variable cannot be set: nothing may be sent
    static void disable() throws Failure {
        if (System.getProperty("os.name").startsWith("Windows") || YES.equals(System.getenv(VARIABLE))) return;
        try (Arena arena = Arena.ofConfined()) {
            // int setenv(const char *name, const char *value, int overwrite)
            Linker linker = Linker.nativeLinker();
            MethodHandle setenv = linker.downcallHandle(linker.defaultLookup().findOrThrow("setenv"),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
            int result = (int) setenv.invokeExact(arena.allocateFrom(VARIABLE), arena.allocateFrom(YES), 1);
            if (result != 0) throw new IllegalStateException("setenv: expected 0, found " + result);
        } catch (VirtualMachineError fatal) {
            throw fatal;
        } catch (Throwable e) {
            throw new Failure.DeviceUnavailable("ONNX Runtime's telemetry cannot be switched off (" + e.getMessage() + "), so it is not loaded; set " + VARIABLE + "=" + YES + " in the environment and start again", e);
        }
    }
}
