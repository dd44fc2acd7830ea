package atomstudio.app.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// `./studio` with fake `java` and `mvn` scripts that record their arguments.
@EnabledOnOs({OS.LINUX, OS.MAC})
class LauncherTest {
    private static final String CALLED = "for a in \"$@\"; do echo \"arg:$a\"; done\n";

    @TempDir
    private Path folder;

    private Path root;
    private Path tools;

    @BeforeEach
    void createBuiltCheckout() throws IOException {
        root = Files.createDirectories(folder.resolve("a check out"));
        tools = Files.createDirectories(folder.resolve("tools"));
        Files.copy(Path.of(System.getProperty("atomstudio.root"), "studio"), root.resolve("studio"));
        Files.createDirectories(root.resolve("app/src/main"));
        Files.createDirectories(root.resolve("app/target/lib"));
        Files.writeString(root.resolve("pom.xml"), "");
        Files.writeString(root.resolve("app/pom.xml"), "");
        Files.writeString(root.resolve("app/src/main/Main.java"), "");
        Files.writeString(jar(), "");
        Files.setLastModifiedTime(jar(), FileTime.from(Instant.now().plusSeconds(60)));
        jdk(folder.resolve("jdk 25"), "25.0.3", "echo \"pid:$$\"\n" + CALLED);
    }

    @Test
    void passesArgumentsUnchanged() throws Exception {
        Result result = studio(root.resolve("studio"), "generate", "--prompt", "a red  \"apple\" $HOME *", "");
        List<String> arguments = result.arguments();
        assertEquals(
                List.of("atomstudio.app.cli.Main", "generate", "--prompt", "a red  \"apple\" $HOME *", ""),
                arguments.subList(arguments.indexOf("-cp") + 2, arguments.size()));
        assertEquals(jar().toRealPath().toString(), arguments.get(arguments.indexOf("-cp") + 1));
        assertTrue(arguments.contains("--enable-native-access=ALL-UNNAMED"), arguments::toString);
    }

    @Test
    void replacesItselfByTheJavaProcess() throws Exception {
        Result result = studio(root.resolve("studio"));
        assertTrue(result.out().lines().anyMatch(("pid:" + result.pid())::equals), result.out());
    }

    @Test
    void followsASymbolicLinkToTheCheckout() throws Exception {
        Path first = Files.createSymbolicLink(folder.resolve("first"), root.resolve("studio"));
        Path second = Files.createSymbolicLink(tools.resolve("second"), tools.relativize(first));
        assertTrue(studio(second, "--version").arguments().contains(jar().toRealPath().toString()));
    }

    @Test
    void skipsAnOlderJavaHomeForJava25OnThePath() throws Exception {
        jdk(folder.resolve("jdk 17"), "17.0.15", "echo seventeen\n");
        Files.createSymbolicLink(tools.resolve("java"), folder.resolve("jdk 25/bin/java"));
        ProcessBuilder builder = builder(root.resolve("studio"), "--version");
        builder.environment().put("JAVA_HOME", folder.resolve("jdk 17").toString());
        Result result = run(builder);
        assertTrue(result.arguments().contains("--version") && !result.out().contains("seventeen"), result::toString);
    }

    @Test
    void withoutATerminalColumnsAreZeroAndTheLocaleIsUtf8() throws Exception {
        jdk(folder.resolve("jdk 25"), "25", "echo \"locale:${LC_ALL:-}\"\n" + CALLED);
        ProcessBuilder builder = builder(root.resolve("studio"));
        builder.environment().keySet().removeIf(name -> name.startsWith("LC_") || name.equals("LANG"));
        Result result = run(builder);
        assertTrue(result.arguments().contains("-Datomstudio.columns=0"), result::toString);
        if (OS.LINUX.isCurrentOs()) {
            assertTrue(result.out().contains("locale:C.UTF-8"), result::toString);
        }
    }

    @Test
    void disablesOnnxRuntimesTelemetry() throws Exception {
        jdk(folder.resolve("jdk 25"), "25", "echo \"telemetry off:${ORT_DISABLE_TELEMETRY:-}\"\n");
        ProcessBuilder builder = builder(root.resolve("studio"));
        builder.environment().put("ORT_DISABLE_TELEMETRY", "0");
        assertEquals("telemetry off:1\n", run(builder).out());
    }

    @Test
    void doesNotBuildAnUpToDateProgram() throws Exception {
        maven("echo built >> \"$PWD/calls\"\n");
        assertEquals("", studio(root.resolve("studio")).err());
        assertFalse(Files.exists(root.resolve("calls")));
    }

    @Test
    void buildsWithTheFoundJdkIfASourceIsNewer() throws Exception {
        Files.setLastModifiedTime(jar(), FileTime.from(Instant.now().minusSeconds(60)));
        maven("echo \"$JAVA_HOME $*\" >> calls\ntouch app/target/app-0.1.0.jar\n");
        Result result = studio(root.resolve("studio"), "--version");
        assertTrue(result.err().startsWith("studio: building"), result::toString);
        assertTrue(result.arguments().contains("--version"), result::toString);
        String call = Files.readString(root.resolve("calls"));
        assertTrue(call.startsWith(folder.resolve("jdk 25") + " "), call);
        assertTrue(call.contains(" package") && call.contains("-DskipTests") && !call.contains("-P cuda"), call);
    }

    @Test
    void repeatsABuildForNvidia() throws Exception {
        Files.setLastModifiedTime(jar(), FileTime.from(Instant.now().minusSeconds(60)));
        Path properties = Files.createDirectories(root.resolve("app/target/classes/atomstudio/app"))
                .resolve("build.properties");
        Files.writeString(properties, "onnxruntime=onnxruntime_gpu\n");
        maven("echo \"$*\" >> calls\ntouch app/target/app-0.1.0.jar\n");
        studio(root.resolve("studio"));
        assertTrue(Files.readString(root.resolve("calls")).contains("-P cuda"));
    }

    @Test
    void failedBuildShowsItsErrorsAndStartsNothing() throws Exception {
        Files.delete(jar());
        maven("echo '[ERROR] Main.java:[1,1] this is the reason'\nexit 1\n");
        Result result = studio(root.resolve("studio"));
        assertEquals(1, result.code());
        assertEquals("", result.out());
        assertTrue(result.err().contains("this is the reason"), result::toString);
    }

    private Path jar() {
        return root.resolve("app/target/app-0.1.0.jar");
    }

    private static void jdk(Path home, String version, String java) throws IOException {
        Files.createDirectories(home.resolve("bin"));
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"" + version + "\"\n");
        script(home.resolve("bin/java"), java);
        script(home.resolve("bin/javac"), "");
    }

    private void maven(String body) throws IOException {
        script(tools.resolve("mvn"), body);
    }

    private static void script(Path file, String body) throws IOException {
        Files.writeString(file, "#!/bin/bash\n" + body);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Result studio(Path launcher, String... arguments) throws Exception {
        return run(builder(launcher, arguments));
    }

    private ProcessBuilder builder(Path launcher, String... arguments) {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
        builder.environment().put("JAVA_HOME", folder.resolve("jdk 25").toString());
        builder.environment().put("PATH", tools + ":" + System.getenv("PATH"));
        return builder;
    }

    private Result run(ProcessBuilder builder) throws Exception {
        Path out = Files.createTempFile(folder, "out", "");
        Path err = Files.createTempFile(folder, "err", "");
        Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
        process.getOutputStream().close();
        int code = process.waitFor();
        return new Result(code, process.pid(), Files.readString(out), Files.readString(err));
    }

    private record Result(int code, long pid, String out, String err) {
        List<String> arguments() {
            assertEquals(0, code, this::toString);
            return out.lines().filter(line -> line.startsWith("arg:")).map(line -> line.substring(4)).toList();
        }
    }
}
