package atomstudio.tuning.method;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import atomstudio.tuning.method.MethodSettings.Choice;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MethodKindTest {
    @Test void everyMethodIsOfOneKindAndNoKindIsEmpty() {
        List<Choice> listed = Stream.of(MethodKind.values()).flatMap(kind -> kind.choices().stream()).toList();
        assertEquals(Choice.values().length, listed.size());
        assertEquals(EnumSet.allOf(Choice.class), EnumSet.copyOf(listed));
        for (MethodKind kind : MethodKind.values()) assertFalse(kind.choices().isEmpty(), kind.display());
    }

    @Test void everyMethodSaysInALineOfItsOwnWhatItIsFor() {
        Set<String> lines = new HashSet<>();
        for (Choice choice : Choice.values()) lines.add(MethodKind.purpose(choice));
        assertEquals(Choice.values().length, lines.size());
        assertFalse(lines.stream().anyMatch(line -> line.isBlank() || line.length() > 90), lines.toString());
    }

    @Test void namesOfASettingAreWhatItTakes() {
        for (Setting setting : Setting.values()) for (String name : setting.names()) assertEquals(name, setting.canonical(name));
    }
}
