package atomstudio.tuning.method;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import atomstudio.tuning.method.MethodSettings.MethodName;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MethodCategoryTest {
    @Test
    void everyMethodIsOfOneKindAndNoKindIsEmpty() {
        List<MethodName> listed = Stream.of(MethodCategory.values()).flatMap(kind -> kind.methods().stream()).toList();
        assertEquals(MethodName.values().length, listed.size());
        assertEquals(EnumSet.allOf(MethodName.class), EnumSet.copyOf(listed));
        for (MethodCategory kind : MethodCategory.values()) assertFalse(kind.methods().isEmpty(), kind.displayName());
    }

    @Test
    void everyMethodSaysInALineOfItsOwnWhatItIsFor() {
        Set<String> lines = new HashSet<>();
        for (MethodName choice : MethodName.values()) lines.add(MethodCategory.description(choice));
        assertEquals(MethodName.values().length, lines.size());
        assertFalse(lines.stream().anyMatch(line -> line.isBlank() || line.length() > 90), lines.toString());
    }

    @Test
    void namesOfASettingAreWhatItTakes() {
        for (MethodSetting setting : MethodSetting.values())
            for (String name : setting.allowedValues()) assertEquals(name, setting.canonical(name));
    }
}
