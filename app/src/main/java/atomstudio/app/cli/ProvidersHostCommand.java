package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.onnx.ExecutionProviders;
import atomstudio.diffusion.onnx.ProviderHost;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The child process in which networks run on a provider. Ends at the end of its standard input.
@Command(name = "host", hidden = true, description = "Runs networks on a provider for another process.")
final class ProvidersHostCommand implements Callable<Integer> {
    private final CommandContext context;

    @Option(names = "--name", required = true, paramLabel = "NAME", description = "Registration name.")
    private String name = "";

    @Option(names = "--library", required = true, paramLabel = "FILE", description = "The library to register.")
    private Path library = Path.of("");

    ProvidersHostCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        // Ctrl-C reaches all processes of a terminal: this one goes on while the other finishes its step.
        try (StopSignal.Registration _ = context.stopSignal().register()) {
            ExecutionProviders.register(name, library);
            ProviderHost.serve(System.in, new FileOutputStream(FileDescriptor.out), ProviderHost::registeredDevice);
            return ExitCode.SUCCESS;
        } catch (IOException e) {
            throw new Failure.Unreadable("standard input: expected requests of another process: " + e.getMessage(), e);
        }
    }
}
