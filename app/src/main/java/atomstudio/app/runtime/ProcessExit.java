package atomstudio.app.runtime;

import atomstudio.diffusion.file.TemporaryPath;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.slf4j.LoggerFactory;

/// Ends the process. `System.exit` runs ONNX Runtime's shutdown hook, which closes its environment, and both it and
/// `Runtime.halt` call C's `exit`, which runs the destructors of native libraries: either may crash a thread that is
/// still inside them (docs/decisions/signals.md).
public final class ProcessExit {
    private ProcessExit() {}

    /// Removes the process's temporary files and ends it at once, without shutdown hooks and native destructors.
    public static void now(int code) {
        TemporaryPath.removeOwn();
        try {
            if (System.getProperty("os.name").startsWith("Windows")) terminateWindowsProcess(code);
            else exitPosixProcess(code);
        } catch (Throwable e) {
            LoggerFactory.getLogger(ProcessExit.class).warn("the system's function for ending a process failed", e);
        }
        Runtime.getRuntime().halt(code);
    }

    /// `void _exit(int status)`
    private static void exitPosixProcess(int code) throws Throwable {
        Linker linker = Linker.nativeLinker();
        linker.downcallHandle(linker.defaultLookup().findOrThrow("_exit"),
                FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT)).invokeExact(code);
    }

    /// `BOOL TerminateProcess(HANDLE process, UINT code)`; Windows' `_exit` would still call into the libraries. Not
    /// run yet.
    private static void terminateWindowsProcess(int code) throws Throwable {
        Linker linker = Linker.nativeLinker();
        SymbolLookup kernel = SymbolLookup.libraryLookup("kernel32", Arena.global());
        MethodHandle currentProcess = linker.downcallHandle(kernel.findOrThrow("GetCurrentProcess"),
                FunctionDescriptor.of(ValueLayout.ADDRESS));
        MethodHandle terminate = linker.downcallHandle(kernel.findOrThrow("TerminateProcess"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        int ended = (int) terminate.invokeExact((MemorySegment) currentProcess.invokeExact(), code);
        if (ended == 0) throw new IllegalStateException("TerminateProcess failed");
    }
}
