package atomstudio.tuning.setting;

import java.util.List;
import java.util.Locale;
import java.util.NoSuchElementException;

/// A setting of training: a constant of an enum with a row of the table of settings.
public interface Setting {
    String YES = "yes";
    String NO = "no";

    /// @param names the option's (after `--`, and the key in files), then older ones, which are still read
    /// @param title the caption in the window
    /// @param unit  of its number; empty if it has none
    /// @param help  `%s` in it stands for the allowed values; other settings are named by their titles in “”
    record Row<T>(SettingGroup group, List<String> names, String title, String unit, SettingType<T> type, String help,
            OnResume onResume) {
        public Row {
            names = List.copyOf(names);
            help = help.replace("%s", String.join(", ", type.allowedValues()));
        }

        public Row(SettingGroup group, List<String> names, String title, String unit, SettingType<T> type,
                String help) {
            this(group, names, title, unit, type, help, OnResume.STAYS);
        }

        /// The value of a text.
        /// @throws IllegalArgumentException that starts with the setting's name
        public T parse(String text) {
            try {
                T parsed = type.parse().apply(text);
                if (type.isUnset(parsed)) throw invalid(type.range(), 0);
                return parsed;
            } catch (NumberFormatException | NoSuchElementException e) {
                boolean quoted = type.kind() == SettingType.Kind.CHOICE;
                throw invalid(type.form(), quoted ? "\"" + text + "\"" : text);
            }
        }

        /// The form in which a text is stored and compared.
        /// @throws IllegalArgumentException that starts with the setting's name
        public String canonical(String text) {
            T parsed = parse(text);
            check(parsed);
            return type.format(parsed);
        }

        /// @throws IllegalArgumentException if a value is out of range or left open
        public void check(T found) {
            Object shown = SettingType.jsonValue(found);
            if (!type.isValid().test(found))
                throw invalid(type.range(), shown instanceof String ? "\"" + shown + "\"" : shown);
        }

        public IllegalArgumentException invalid(String expected, Object found) {
            return new IllegalArgumentException(names.getFirst() + ": expected " + expected + ", found " + found);
        }

        public Row<T> changeableOnResume() {
            return new Row<>(group, names, title, unit, type, help, OnResume.MAY_CHANGE);
        }
    }

    /// Whether a run that is continued may have another value.
    enum OnResume { STAYS, MAY_CHANGE }

    Row<?> row();

    /// The value as text while nothing is chosen, where it is the same for every method; else empty.
    String commonDefault();

    /// The names of the methods that have it; empty: all.
    default List<String> methods() {
        return List.of();
    }

    /// Title and value for summaries: `Steps 50`, `Horizontal flip`.
    default String describe(String value) {
        return isFlag() ? title() : title() + " " + value;
    }

    default String option() {
        return row().names().getFirst();
    }

    default List<String> names() {
        return row().names();
    }

    /// Older names, which are still read.
    default List<String> aliases() {
        return names().subList(1, names().size());
    }

    default SettingGroup group() {
        return row().group();
    }

    default String title() {
        return row().title();
    }

    /// Names the setting in a text; the command line replaces it by the option.
    default String quotedTitle() {
        return "“" + title() + "”";
    }

    default String unit() {
        return row().unit();
    }

    /// `Resolution (pixels)`; just the title where it names the unit.
    default String titleWithUnit() {
        return unit().isEmpty() || title().toLowerCase(Locale.ROOT).contains(unit()) ? title()
                : title() + " (" + unit() + ")";
    }

    default String description() {
        return row().help();
    }

    /// Stands for the value in the help.
    default String valueLabel() {
        return row().type().label();
    }

    /// The possible values, the default first, where these are a few names; proposals for a list; else empty.
    default List<String> allowedValues() {
        return row().type().allowedValues();
    }

    /// Whether it is switched on by its name alone.
    default boolean isFlag() { return row().type().kind() == SettingType.Kind.FLAG; }

    default boolean mayChangeOnResume() {
        return row().onResume() == OnResume.MAY_CHANGE;
    }
}
