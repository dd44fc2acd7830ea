package atomstudio.packaging;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// Runs an application image as on a fresh machine: an empty environment, no Java on the path, no home folder.
record SmokeRun(Path image, Path workFolder) {
    void run() throws IOException, InterruptedException {
        launch("--version");
        Path output = workFolder.resolve("image.png");
        launch("generate", "--prompt", "a red apple on a table", "--seed", "1", "--steps", "2", "--out",
                output.toString());
        if (!Files.isRegularFile(output) || Files.size(output) == 0) {
            throw new IllegalStateException("the packaged program: expected an image in " + output + ", found none");
        }
        checkNoFilesLeft();
    }

    /// Checks that ONNX Runtime's telemetry client wrote no device id to the user's home. The variable that disables it
    /// is not set here: the program must set it.
    private void checkNoFilesLeft() throws IOException {
        try (Stream<Path> files = Files.walk(userHome())) {
            List<Path> left = files.filter(Files::isRegularFile).toList();
            if (!left.isEmpty())
                throw new IllegalStateException("the packaged program wrote files outside its own folder: " + left);
        }
    }

    private Path userHome() throws IOException {
        return Files.createDirectories(workFolder.resolve("user"));
    }

    private void launch(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(launcher().toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(workFolder.toFile()).inheritIO();
        builder.environment().clear();
        builder.environment().put("PATH", workFolder.toString());
        builder.environment().put("HOME", userHome().toString());
        builder.environment().put("ATOMSTUDIO_HOME", workFolder.resolve("home").toString());
        long startNanos = System.nanoTime();
        int code = builder.start().waitFor();
        if (code != 0) {
            throw new IllegalStateException(String.join(" ", command) + ": exit code " + code);
        }
        System.out.println(arguments[0] + ": " + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos) + " ms");
    }

    private Path launcher() {
        Path windows = image.resolve(image.getFileName() + ".exe");
        return Files.exists(windows) ? windows : image.resolve("bin").resolve(image.getFileName());
    }
}
