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

/// Both engines open no network connection: strace records the system calls of a process that is started like the
/// packaged program, without a network namespace if the system allows it, and without environment variables that
/// disable telemetry.
@EnabledOnOs(OS.LINUX)
class PrivacyTest {
    /// A system call with an internet address or socket.
    private static final Pattern INTERNET = Pattern.compile("AF_INET|inet_addr|inet_pton");
    /// Java opens and closes these three sockets with the first file channel to detect IPv4 and IPv6; nothing is sent.
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
    void generateOpensNoConnectionAndWritesOnlyToTheHome() throws Exception {
        run("generate", "--prompt", "a red apple", "--steps", "1", "--seed", "1", "--out",
                folder.resolve("out/apple.png").toString());
        assertTrue(Files.isRegularFile(folder.resolve("out/apple.png")));
        assertNothingLeft();
    }

    @Test
    void trainOpensNoConnectionAndWritesOnlyToTheHome() throws Exception {
        run("train", "--photos", Assets.find().subjectFolder("clock").toString(), "--class", "clock", "--method",
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
                "skipped: strace is not installed or not permitted");
        List<String> command = new ArrayList<>();
        if (works(List.of("unshare", "-rn", "strace", "true"))) command.addAll(List.of("unshare", "-rn"));
        command.addAll(List.of("strace", "-f", "-qq", "-e", "trace=%network", "-o", trace.toString()));
        command.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-Duser.home=" + user, "-Djava.io.tmpdir=" + temporary, "-cp", System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(List.of(arguments));
        Path output = folder.resolve("output");
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("HOME", user.toString());
        builder.environment().put(Home.ENVIRONMENT_VARIABLE, folder.resolve("studio").toString());
        builder.environment().keySet().removeAll(List.of("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"));
        assertEquals(ExitCode.SUCCESS, builder.start().waitFor(), () -> read(output));
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
