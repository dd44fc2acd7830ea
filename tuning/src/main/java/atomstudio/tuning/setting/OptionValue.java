package atomstudio.tuning.setting;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/// An enum value with its name on the command line and in files.
public interface OptionValue {
    String name();

    default String option() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static <E extends Enum<E> & OptionValue> Optional<E> ofOption(Class<E> type, String option) {
        return Stream.of(type.getEnumConstants()).filter(each -> each.option().equals(option)).findFirst();
    }
}
