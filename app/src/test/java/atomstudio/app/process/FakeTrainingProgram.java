package atomstudio.app.process;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/// A child process for tests: records its arguments and input, and exits on command.
public final class FakeTrainingProgram {
    private FakeTrainingProgram() {}

    public static void main(String[] arguments) throws Exception {
        if (List.of(arguments).contains("--dry-run")) {
            estimate(List.of(arguments));
            return;
        }
        Path run = Path.of(value(List.of(arguments), "--out"));
        Files.createDirectories(run);
        Files.writeString(run.resolve("arguments"), String.join("\n", arguments));
        Files.writeString(run.resolve("home"), System.getenv("ATOMSTUDIO_HOME"));
        Files.writeString(run.resolve("telemetry"), String.valueOf(System.getenv("ORT_DISABLE_TELEMETRY")));
        Path received = run.resolve("received");
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                Files.writeString(received, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                if (line.equals("pause")) {
                    System.err.println("studio: the photos changed since the run began");
                    System.exit(1);
                }
                if (line.equals("stop")) System.exit(130);
            }
        }
        Files.writeString(received, "end\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private static String value(List<String> arguments, String option) {
        return arguments.stream()
                .filter(argument -> argument.startsWith(option + "="))
                .map(argument -> argument.substring(option.length() + 1))
                .findFirst()
                .orElseThrow();
    }

    private static void estimate(List<String> arguments) throws InterruptedException {
        if (arguments.contains("--gradient-checkpointing")) Thread.sleep(60_000);
        if (arguments.stream().anyMatch(argument -> argument.startsWith("--resolution="))) {
            System.err
                    .println("studio: resolution: expected a multiple of 8, found " + value(arguments, "--resolution"));
            System.exit(2);
        }
        System.out.println(
                "{\"parameters\":65792,\"numbers\":65792,\"share\":0.011,\"memory\":4000,\"memorySource\":\"steps\","
                        + "\"available\":3000,"
                        + "\"secondsPerStep\":0.25,\"secondsBefore\":1.0,\"seconds\":31.0,\"fits\":false,"
                        + "\"advice\":[\"--batch-size 1: one image at a time\"]}");
    }
}
