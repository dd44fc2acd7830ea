package atomstudio.packaging;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// Starts an image as a stranger's machine would: an empty environment, no Java or Maven on the path, a home that is not there yet.
record FirstStart(Path image, Path folder) {
    void run() throws IOException, InterruptedException {
        start("--version");
        Path picture = folder.resolve("picture.png");
        start("generate", "--prompt", "a red apple on a table", "--seed", "1", "--steps", "2", "--out", picture.toString());
        if (!Files.isRegularFile(picture) || Files.size(picture) == 0) {
            throw new IllegalStateException("the packaged program wrote no picture to " + picture);
        }
        leavesNothing();
    }

    /// ONNX Runtime's telemetry client would leave a device id in the user's folder. Its variable is not set here: the program must set it.
    private void leavesNothing() throws IOException {
        try (Stream<Path> files = Files.walk(user())) {
            List<Path> left = files.filter(Files::isRegularFile).toList();
            if (!left.isEmpty()) throw new IllegalStateException("the packaged program left files outside its own folder: " + left);
        }
    }

    private Path user() throws IOException {
        return Files.createDirectories(folder.resolve("user"));
    }

    private void start(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(launcher().toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile()).inheritIO();
        builder.environment().clear();
        builder.environment().put("PATH", folder.toString());
        builder.environment().put("HOME", user().toString());
        builder.environment().put("ATOMSTUDIO_HOME", folder.resolve("home").toString());
        long start = System.nanoTime();
        int code = builder.start().waitFor();
        if (code != 0) {
            throw new IllegalStateException(String.join(" ", command) + " ended with " + code);
        }
        System.out.println(arguments[0] + ": " + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start) + " ms");
    }

    private Path launcher() {
        Path windows = image.resolve(image.getFileName() + ".exe");
        return Files.exists(windows) ? windows : image.resolve("bin").resolve(image.getFileName());
    }
}
