package atomstudio.packaging;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.spi.ToolProvider;

/// Builds the application image with jpackage: the program, a Java runtime, unpacked native libraries and the assets.
public final class ApplicationImage {
    private static final String APP_NAME = "atomstudio";
    private static final String MODULES = "java.base,java.desktop,java.logging,java.management,java.naming,"
            + "java.net.http,java.sql,java.xml,jdk.crypto.ec,jdk.management,jdk.security.auth,jdk.unsupported";
    /// Java's crash log goes to standard error: its file is by default in the working directory, and a launcher of
    /// jpackage cannot name the user's folder.
    private static final List<String> JAVA_OPTIONS = List.of("--enable-native-access=ALL-UNNAMED",
            "-XX:+ErrorFileToStderr", "-XX:+UseSerialGC", "-Xms32m", "-Dstdout.encoding=UTF-8",
            "-Dstderr.encoding=UTF-8",
            "-Datomstudio.natives=$APPDIR/natives", "-Djava.util.logging.config.file=$APPDIR/logging.properties");
    /// jpackage takes PNG on Linux; Windows and macOS need formats of their own.
    private static final String ICON = "app/src/main/resources/atomstudio/app/window/icon-256.png";
    /// The entry for applications menus of Linux desktops. It starts `atomstudio` from the PATH.
    private static final String MENU_ENTRY = "app/src/main/resources/atomstudio/app/freedesktop/atom-studio.desktop";
    private static final double MEGABYTE = 1e6;

    private ApplicationImage() {}

    /// @param arguments the checkout, the version, the output folder
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path checkout = Path.of(arguments[0]);
        Path target = Path.of(arguments[2]);
        Path input = FileTrees.recreate(target.resolve("input"));
        ApplicationJar applicationJar = new ApplicationJar(checkout.resolve("app/target/app-" + arguments[1] + ".jar"));
        applicationJar.copyTo(input);
        FileTrees.copy(checkout.resolve("assets"), input.resolve("assets"));
        for (String document : List.of("LICENSE", "NOTICE")) {
            Files.copy(checkout.resolve(document), input.resolve(document));
        }
        Files.copy(checkout.resolve("app/logging.properties"), input.resolve("logging.properties"));
        FileTrees.delete(target.resolve(APP_NAME));
        jpackage(target, input, applicationJar.jar().getFileName().toString(), arguments[1], checkout.resolve(ICON));

        Path image = target.resolve(APP_NAME);
        if (isLinux()) addMenuEntry(checkout, image.resolve("share"));
        new SmokeRun(image, FileTrees.recreate(target.resolve("first-start"))).run();
        String size = String.format(Locale.ROOT, "%s: %.0f MB (runtime %.0f, natives %.0f, assets %.0f)",
                image.getFileName(),
                FileTrees.size(image) / MEGABYTE, FileTrees.size(image.resolve("lib/runtime")) / MEGABYTE,
                FileTrees.size(image.resolve("lib/app/natives")) / MEGABYTE,
                FileTrees.size(image.resolve("lib/app/assets")) / MEGABYTE);
        Files.writeString(target.resolve("size.txt"), size + System.lineSeparator());
        System.out.println(size);
    }

    private static boolean isLinux() {
        return System.getProperty("os.name").startsWith("Linux");
    }

    /// In the layout of `/usr/share`, so that an installation copies the folder.
    private static void addMenuEntry(Path checkout, Path share) throws IOException {
        Path applications = Files.createDirectories(share.resolve("applications"));
        Files.copy(checkout.resolve(MENU_ENTRY), applications.resolve(Path.of(MENU_ENTRY).getFileName()));
        Path icons = Files.createDirectories(share.resolve("icons/hicolor/256x256/apps"));
        Files.copy(checkout.resolve(ICON), icons.resolve("atom-studio.png"));
    }

    private static void jpackage(Path target, Path input, String jar, String version, Path icon) {
        ToolProvider jpackage = ToolProvider.findFirst("jpackage")
                .orElseThrow(() -> new IllegalStateException("jpackage: not found in this Java; a JDK is required"));
        List<String> command = new ArrayList<>(List.of("--type", "app-image", "--name", APP_NAME,
                "--app-version", version, "--dest", target.toString(), "--input", input.toString(),
                "--main-jar", jar, "--main-class", "atomstudio.app.cli.Main", "--add-modules", MODULES,
                "--jlink-options", "--strip-debug --no-man-pages --no-header-files --compress=zip-6"));
        if (isLinux()) command.addAll(List.of("--icon", icon.toString()));
        for (String option : JAVA_OPTIONS) command.addAll(List.of("--java-options", option));
        int code = jpackage.run(System.out, System.err, command.toArray(String[]::new));
        if (code != 0) throw new IllegalStateException("jpackage: exit code " + code);
    }
}
