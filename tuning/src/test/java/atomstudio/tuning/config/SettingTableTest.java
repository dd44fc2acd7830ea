package atomstudio.tuning.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.setting.Setting;
import atomstudio.tuning.setting.SettingGroup;
import atomstudio.tuning.setting.SettingType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The table of settings, and the guide's page that is made from it.
class SettingTableTest {
    private static final Path GUIDE = Path.of("../docs/guide/settings.md");
    private static final Pattern DEFAULT = Pattern.compile(" ?Default: (.+?)\\.(?= |$)");

    @Test
    void everyNameBelongsToOneSetting() {
        Set<String> names = new HashSet<>();
        for (Setting setting : SettingTable.ALL)
            for (String name : setting.names()) {
                assertTrue(names.add(name), name);
                assertEquals(Optional.of(setting), SettingTable.ofOption(name));
                assertTrue(name.matches("[a-z][a-z0-9-]*"), name);
            }
    }

    @Test
    void everyRowIsComplete() {
        Set<String> titles = new HashSet<>();
        for (Setting setting : SettingTable.ALL) {
            assertTrue(titles.add(setting.title()), setting.title());
            assertTrue(setting.title().matches("[A-Z].*"), setting.title());
            assertTrue(setting.description().matches("(?s)[A-Z].*\\."), setting.description());
            assertFalse(setting.description().contains("%s"), setting.description());
            assertTrue(setting.unit().matches("|steps|pixels|photos|batches|channels|samples"), setting.unit());
            assertTrue(setting.unit().isEmpty() || !setting.isFlag(), setting.option());
            assertEquals(setting == TrainingSetting.STEPS, setting.mayChangeOnResume(), setting.option());
        }
    }

    /// Titles in texts are those of other settings.
    @Test
    void textsNameSettingsByTheirTitles() {
        Pattern title = Pattern.compile("“([^”]+)”");
        for (Setting setting : SettingTable.ALL) {
            String required = setting.row().type().unset().map(SettingType.Unset::required).orElse("");
            String text = setting.description() + setting.row().type().range() + required;
            assertFalse(text.contains("--"), text);
            assertFalse(title.matcher(SettingTable.nameOptions(text)).find(), text);
        }
        assertEquals("Needs --layers up", SettingTable.nameOptions("Needs “Layers” up"));
    }

    /// With `-Dguide.update=true` the page is written instead.
    @Test
    void theGuidesPageIsOfThisTable() throws Exception {
        String page = String.join("\n", page()) + "\n";
        if (Boolean.getBoolean("guide.update")) Files.writeString(GUIDE, page);
        assertEquals(page, Files.readString(GUIDE),
                "docs/guide/settings.md is not of this table: run this test with -Dguide.update=true");
    }

    private static List<String> page() {
        List<String> lines = new ArrayList<>(List.of("# Training settings", "",
                "Every option of `studio train` that is recorded in `run.json`. The window has the same settings under",
                "\"Options\". Settings stay as they are when a run is continued, "
                        + "except " + onResume() + ".",
                "This page is generated from the program's table of settings.", "",
                "Methods with their settings: [train.md](train.md#methods)."));
        for (SettingGroup group : SettingGroup.values()) {
            lines.addAll(List.of("", "## " + group.title(), "",
                    "| option | in the window | meaning | unit | default |",
                    "|---|---|---|---|---|"));
            SettingTable.ALL.stream()
                    .filter(setting -> setting.group() == group)
                    .map(SettingTableTest::line)
                    .forEach(lines::add);
        }
        lines.addAll(List.of("", "## Older names", "",
                "Still read, on the command line and in files: " + SettingTable.ALL.stream()
                        .flatMap(setting -> setting.aliases()
                                .stream()
                                .map(alias -> "`" + alias + "` (`" + setting.option() + "`)"))
                        .collect(Collectors.joining(", "))
                        + "."));
        return lines;
    }

    private static String onResume() {
        return SettingTable.ALL.stream()
                .filter(Setting::mayChangeOnResume)
                .map(setting -> "`--" + setting.option() + "`")
                .collect(Collectors.joining(", "));
    }

    private static String line(Setting setting) {
        Matcher matcher = DEFAULT.matcher(setting.description());
        String defaultText = matcher.find() ? matcher.group(1)
                : setting.isFlag() ? "off" : setting.commonDefault().isEmpty() ? "none" : setting.commonDefault();
        String meaning = setting.description().replace(matcher.reset().find() ? matcher.group() : "\0", "");
        String methods = setting.methods().isEmpty() || setting.methods().size() == MethodName.values().length ? ""
                : " For " + String.join(", ", setting.methods()) + ".";
        String option = "`--" + setting.option() + (setting.isFlag() ? "" : " " + setting.valueLabel()) + "`";
        return Stream.of(option, setting.title(), meaning + methods, setting.unit(), defaultText)
                .map(cell -> cell.replace("|", "\\|"))
                .collect(Collectors.joining(" | ", "| ", " |"));
    }
}
