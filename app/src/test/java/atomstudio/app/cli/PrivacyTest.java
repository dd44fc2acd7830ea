package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import atomstudio.app.runtime.Assets;
import atomstudio.app.runtime.Home;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Nothing leaves the machine: both engines run in a process whose system calls are watched by strace, without a
/// route to the network where the system allows that, and as the packaged program starts: no variable in its
/// environment switches anything off.
@EnabledOnOs(OS.LINUX)
class PrivacyTest {
    /// A system call that names an address of the internet, or makes a socket for one.
    private static final Pattern INTERNET = Pattern.compile("AF_INET|inet_addr|inet_pton");
    /// Java makes and closes these three when it first opens a file channel, to learn whether the system has IPv4 and
    /// IPv6. Nothing is sent on them.
    private static final Pattern PROBE = Pattern.compile("socket\\(AF_INET6?, SOCK_STREAM, IPPROTO_IP\\)");
    private static final int PROBES = 3;

    @TempDir
    private Path folder;

    private Path user;
    private Path temporary;
    private Path trace;

    @BeforeEach
    void folders() throws IOException {
        user = Files.createDirectory(folder.resolve("user"));
        temporary = Files.createDirectory(folder.resolve("temporary"));
        trace = folder.resolve("trace");
    }

    @Test
    void generateOpensNoConnectionAndWritesNothingOutsideTheStudiosFolder() throws Exception {
        run("generate", "--prompt", "a red apple", "--steps", "1", "--seed", "1", "--out",
                folder.resolve("out/apple.png").toString());
        assertTrue(Files.isRegularFile(folder.resolve("out/apple.png")));
        assertNothingLeft();
    }

    @Test
    void tuneOpensNoConnectionAndWritesNothingOutsideTheStudiosFolder() throws Exception {
        run("tune", "--pictures", Assets.find().subjectFolder("clock").toString(), "--class", "clock", "--method",
                "atoms", "--steps", "1", "--out", folder.resolve("out/run").toString());
        assertTrue(Files.isRegularFile(folder.resolve("out/run/adapter.safetensors")));
        assertNothingLeft();
    }

    private void assertNothingLeft() throws IOException {
        List<String> internet = Files.readAllLines(trace)
                .stream()
                .filter(line -> INTERNET.matcher(line).find())
                .toList();
        List<String> calls = internet.stream().filter(line -> !PROBE.matcher(line).find()).toList();
        assertEquals(List.of(), calls);
        assertTrue(internet.size() <= PROBES, internet::toString);
        assertEquals(List.of(), files(user));
        assertEquals(List.of(), files(temporary));
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(file -> !Files.isDirectory(file)).toList();
        }
    }

    private void run(String... arguments) throws Exception {
        assumeTrue(works(List.of("strace", "-e", "trace=%network", "true")),
                "skipped: strace is not there, or not allowed to watch");
        List<String> command = new ArrayList<>();
        if (works(List.of("unshare", "-rn", "strace", "true"))) command.addAll(List.of("unshare", "-rn"));
        command.addAll(List.of("strace", "-f", "-qq", "-e", "trace=%network", "-o", trace.toString()));
        command.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-Duser.home=" + user, "-Djava.io.tmpdir=" + temporary, "-cp", System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(List.of(arguments));
        Path said = folder.resolve("said");
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(said.toFile());
        builder.environment().put("HOME", user.toString());
        builder.environment().put(Home.ENVIRONMENT_VARIABLE, folder.resolve("studio").toString());
        builder.environment().keySet().removeAll(List.of("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"));
        assertEquals(ExitCode.SUCCESS, builder.start().waitFor(), () -> read(said));
    }

    private boolean works(List<String> command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true)
                    .redirectOutput(folder.resolve("trial").toFile())
                    .start();
            return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException notThere) {
            return false;
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
