package atomstudio.app.freedesktop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import atomstudio.app.freedesktop.ApplicationsMenuViewModel.MenuState;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ApplicationsMenuTest {
    @TempDir
    Path folder;

    @Test
    void dataFolderIsThatOfTheEnvironmentIfAbsolute() {
        Path home = Path.of("/home/ada");
        assertEquals(Path.of("/data"), ApplicationsMenu.dataFolder(Map.of("XDG_DATA_HOME", "/data"), home));
        assertEquals(Path.of("/home/ada/.local/share"),
                ApplicationsMenu.dataFolder(Map.of("XDG_DATA_HOME", "data"), home));
        assertEquals(Path.of("/home/ada/.local/share"), ApplicationsMenu.dataFolder(Map.of(), home));
    }

    @Test
    void entryNamesWindowClassAndIcon() throws Failure {
        ApplicationsMenu menu = new ApplicationsMenu(folder, Path.of("/opt/atomstudio/bin/atomstudio"));
        menu.write(menu.ownEntry());
        Map<String, String> entry = keys(menu.ownEntry());
        assertEquals(DesktopEntry.WINDOW_CLASS, entry.get("StartupWMClass"));
        assertEquals("/opt/atomstudio/bin/atomstudio", entry.get("Exec"), "no quotes where none are needed");
        assertEquals(folder.resolve("applications/atom-studio.desktop"), menu.entryFile());
        assertEquals(folder.resolve("icons/hicolor/256x256/apps/" + entry.get("Icon") + ".png"), menu.iconFile());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"studio", "my studio", "100% \"a\" studio", "a=b", "$HOME `id` \\x\\", "it's (1) & <2>;#*?~|",
                    "tab\tand\nline", "Größe"})
    void programOfAnyNameIsStarted(String name) throws Exception {
        Path program = folder.resolve(name).resolve("studio");
        List<String> arguments = arguments(keys(DesktopEntry.of(program)).get("Exec"));
        assertFalse(arguments.getFirst().matches(".*[%=].*"), arguments.toString());
        assertEquals(program.toString(), arguments.getLast());
        if (arguments.size() > 1)
            assertEquals(List.of("/bin/sh", "-c", "exec \"$0\""), arguments.subList(0, arguments.size() - 1));
        validate(DesktopEntry.of(program));
        start(program);
    }

    @Test
    void iconThemeIsNewerAfterAChange() throws Exception {
        ApplicationsMenu menu = new ApplicationsMenu(folder, Path.of("/opt/studio"));
        menu.write(menu.ownEntry());
        Path theme = folder.resolve("icons/hicolor");
        Files.setLastModifiedTime(theme, FileTime.from(Instant.EPOCH));
        menu.remove();
        assertTrue(Files.getLastModifiedTime(theme).toInstant().isAfter(Instant.EPOCH));
    }

    @Test
    void addingAndRemovingCanBeUndone() throws Exception {
        ApplicationsMenu menu = new ApplicationsMenu(folder, Path.of("/opt/studio"));
        NoticesViewModel notices = new NoticesViewModel();
        ApplicationsMenuViewModel model = new ApplicationsMenuViewModel(new InlineJobs(), menu, notices);
        assertEquals(MenuState.ABSENT, model.state().get());
        model.add();
        assertEquals(MenuState.PRESENT, model.state().get());
        assertEquals(Optional.of(menu.ownEntry()), menu.entry());
        assertArrayEquals(getClass().getResourceAsStream("/atomstudio/app/window/icon-256.png").readAllBytes(),
                Files.readAllBytes(menu.iconFile()));
        notices.undo();
        assertEquals(MenuState.ABSENT, model.state().get());
        assertFalse(Files.exists(menu.entryFile()) || Files.exists(menu.iconFile()));
        model.add();
        model.remove();
        assertEquals(MenuState.ABSENT, model.state().get());
        assertFalse(Files.exists(menu.entryFile()) || Files.exists(menu.iconFile()));
        notices.undo();
        assertEquals(MenuState.PRESENT, model.state().get());
        assertTrue(Files.exists(menu.iconFile()));
    }

    @Test
    void entryOfAnotherCopyIsReplacedAndComesBack() throws Exception {
        ApplicationsMenu other = new ApplicationsMenu(folder, Path.of("/old/studio"));
        other.write(other.ownEntry());
        NoticesViewModel notices = new NoticesViewModel();
        ApplicationsMenuViewModel model = new ApplicationsMenuViewModel(new InlineJobs(),
                new ApplicationsMenu(folder, Path.of("/new/studio")), notices);
        assertEquals(MenuState.OTHER, model.state().get());
        model.add();
        assertEquals(MenuState.PRESENT, model.state().get());
        notices.undo();
        assertEquals(MenuState.OTHER, model.state().get());
        assertEquals(Optional.of(other.ownEntry()), other.entry());
    }

    @Test
    void folderThatCannotBeWrittenIsReported() throws Exception {
        NoticesViewModel notices = new NoticesViewModel();
        Path file = Files.writeString(folder.resolve("file"), "");
        ApplicationsMenuViewModel model = new ApplicationsMenuViewModel(new InlineJobs(),
                new ApplicationsMenu(file, Path.of("/opt/studio")), notices);
        model.add();
        NoticesViewModel.Notice notice = notices.notices().getLast();
        assertEquals(NoticesViewModel.NoticeKind.ERROR, notice.kind());
        assertTrue(notice.text().contains(file.toString()), notice.text());
        assertEquals(MenuState.ABSENT, model.state().get());
    }

    /// The keys of the group, with values unescaped.
    private static Map<String, String> keys(String entry) {
        Map<String, String> keys = new LinkedHashMap<>();
        List<String> lines = entry.lines().toList();
        assertEquals("[Desktop Entry]", lines.getFirst());
        for (String line : lines.subList(1, lines.size())) {
            String[] parts = line.split("=", 2);
            StringBuilder value = new StringBuilder();
            for (int i = 0; i < parts[1].length(); i++) {
                char c = parts[1].charAt(i);
                value.append(c != '\\' ? c : switch (parts[1].charAt(++i)) {
                    case 's' -> ' ';
                    case 'n' -> '\n';
                    case 't' -> '\t';
                    case 'r' -> '\r';
                    case '\\' -> '\\';
                    default -> throw new AssertionError("unknown escape in " + line);
                });
            }
            keys.put(parts[0], value.toString());
        }
        return keys;
    }

    /// The arguments of a value of `Exec`: quotes, then field codes, of which only `%%` may occur.
    private static List<String> arguments(String exec) {
        List<String> arguments = new ArrayList<>();
        StringBuilder argument = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < exec.length(); i++) {
            char c = exec.charAt(i);
            if (c == '"') quoted = !quoted;
            else if (quoted && c == '\\') argument.append(exec.charAt(++i));
            else if (c == ' ' && !quoted) {
                arguments.add(argument.toString());
                argument.setLength(0);
            } else {
                assertTrue(quoted || " \t\n\"'\\><~|&;$*?#()`".indexOf(c) < 0, exec + ": needs quotes: " + c);
                argument.append(c);
            }
        }
        arguments.add(argument.toString());
        return arguments.stream().map(text -> {
            assertFalse(text.replace("%%", "").contains("%"), text);
            return text.replace("%%", "%");
        }).toList();
    }

    private void validate(String entry) throws Exception {
        if (!isInstalled("desktop-file-validate")) return;
        Path file = Files.writeString(folder.resolve(DesktopEntry.FILE_NAME), entry);
        Process process = new ProcessBuilder("desktop-file-validate", file.toString()).redirectErrorStream(true)
                .start();
        assertEquals("", new String(process.getInputStream().readAllBytes()).strip());
    }

    /// As a desktop does it, with GLib's `gio`.
    private void start(Path program) throws IOException, InterruptedException {
        assumeTrue(isInstalled("gio"), "gio: not installed");
        Path started = folder.resolve("started");
        Files.createDirectories(program.getParent());
        Files.writeString(program, "#!/bin/sh\necho $# > '" + started + "'\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
        ApplicationsMenu menu = new ApplicationsMenu(folder.resolve("share"), program);
        try {
            menu.write(menu.ownEntry());
        } catch (Failure e) {
            throw new AssertionError(e);
        }
        Process gio = new ProcessBuilder("gio", "launch", menu.entryFile().toString()).redirectErrorStream(true)
                .start();
        String output = new String(gio.getInputStream().readAllBytes());
        for (int i = 0; i < 100 && !Files.exists(started); i++) TimeUnit.MILLISECONDS.sleep(50);
        assertTrue(Files.exists(started), "gio launch: exit code " + gio.waitFor() + ", " + output);
    }

    private static boolean isInstalled(String program) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
                .anyMatch(path -> Files.isExecutable(Path.of(path, program)));
    }
}
