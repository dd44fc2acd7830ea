package atomstudio.app.freedesktop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import atomstudio.app.freedesktop.Taskbar.TaskbarState;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The signals on a bus, as `dbus-monitor` reads them.
@Timeout(60)
class LauncherEntryTest {
    @TempDir
    Path folder;

    @Test
    void stateBecomesPropertiesOfUnitysInterface() {
        assertEquals(Map.of("progress", 0.62, "progress-visible", true, "urgent", false),
                LauncherEntry.properties(new TaskbarState(OptionalInt.of(62), false)));
        assertEquals(Map.of("progress", 0.0, "progress-visible", false, "urgent", true),
                LauncherEntry.properties(new TaskbarState(OptionalInt.empty(), true)));
    }

    @Test
    void withoutABusNothingHappens() {
        for (String address : List.of("unix:path=" + folder.resolve("missing"), "unix:abstract=/tmp/none", "nonsense"))
            assertTimeout(Duration.ofSeconds(20), () -> {
                try (LauncherEntry taskbar = new LauncherEntry(address)) {
                    taskbar.show(new TaskbarState(OptionalInt.of(1), false));
                    Thread.sleep(400);
                    taskbar.show(new TaskbarState(OptionalInt.of(2), false));
                    Thread.sleep(400);
                }
            }, address);
    }

    @Test
    void busReceivesTheNewestProgressAndItsEnd() throws Exception {
        Path socket = folder.resolve("bus");
        assumeTrue(isInstalled("dbus-daemon") && isInstalled("dbus-monitor"),
                "dbus-daemon, dbus-monitor: not installed");
        Path config = Files.writeString(folder.resolve("bus.conf"), """
                <busconfig>
                  <type>session</type>
                  <listen>unix:path=%s</listen>
                  <policy context="default">
                    <allow send_destination="*" eavesdrop="true"/>
                    <allow eavesdrop="true"/>
                    <allow own="*"/>
                  </policy>
                </busconfig>
                """.formatted(socket));
        try (RunningProcess daemon = new RunningProcess("dbus-daemon", "--nofork", "--print-address",
                "--config-file=" + config)) {
            String address = daemon.output.readLine();
            try (RunningProcess monitor = new RunningProcess("dbus-monitor", "--address", address)) {
                // The monitor's own name is what it receives first.
                String first = monitor.output.readLine();
                assertTrue(first.startsWith("signal"), first);
                try (LauncherEntry taskbar = new LauncherEntry("unix:abstract=/tmp/none;" + address)) {
                    for (int percent = 0; percent <= 50; percent++)
                        taskbar.show(new TaskbarState(OptionalInt.of(percent), false));
                    assertEquals(List.of("0.5 true false"), updates(monitor.output, 1));
                }
                assertEquals(List.of("0 false false"), updates(monitor.output, 1));
                String line = "";
                while (!line.contains("member=NameOwnerChanged")) line = monitor.output.readLine();
            }
        }
    }

    /// The values of the next signals: progress, progress-visible, urgent.
    private static List<String> updates(BufferedReader output, int count) throws IOException {
        List<String> updates = new ArrayList<>();
        while (updates.size() < count) {
            if (!output.readLine().contains("interface=com.canonical.Unity.LauncherEntry; member=Update")) continue;
            assertEquals("string \"application://atom-studio.desktop\"", output.readLine().strip());
            List<String> values = new ArrayList<>();
            for (String line = output.readLine().strip(); !line.equals("]"); line = output.readLine().strip())
                if (line.startsWith("variant")) values.add(line.replaceFirst("variant +(double|boolean) ", ""));
            updates.add(String.join(" ", values));
        }
        return updates;
    }

    private static boolean isInstalled(String program) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
                .anyMatch(path -> Files.isExecutable(Path.of(path, program)));
    }

    private static final class RunningProcess implements AutoCloseable {
        private final Process process;
        private final BufferedReader output;

        RunningProcess(String... command) throws IOException {
            process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
            output = process.inputReader();
        }

        @Override
        public void close() throws InterruptedException {
            process.destroy();
            process.waitFor();
        }
    }
}
