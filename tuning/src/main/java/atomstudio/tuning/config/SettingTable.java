package atomstudio.tuning.config;

import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.setting.Setting;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Every setting of a run: the method's, then those of its training. Command line, window, files and the guide are
/// loops over this table.
public final class SettingTable {
    public static final List<Setting> ALL = Stream
            .<Setting>concat(Stream.of(MethodSetting.values()), Stream.of(TrainingSetting.values()))
            .toList();

    private SettingTable() {}

    /// @param name the option's or an older one
    public static Optional<Setting> ofOption(String name) {
        return ALL.stream().filter(setting -> setting.names().contains(name)).findFirst();
    }

    /// A text for the command line: settings are named by their options instead of their titles in the window.
    public static String nameOptions(String text) {
        String named = text;
        for (Setting setting : ALL) named = named.replace(setting.quotedTitle(), "--" + setting.option());
        return named;
    }
}
