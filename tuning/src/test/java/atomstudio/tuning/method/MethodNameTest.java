package atomstudio.tuning.method;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MethodNameTest {
    @Test
    void everyMethodHasOneCategoryAndNoCategoryIsEmpty() {
        List<MethodName> listed = Stream.of(MethodCategory.values())
                .flatMap(category -> category.methods().stream())
                .toList();
        assertEquals(MethodName.values().length, listed.size());
        assertEquals(EnumSet.allOf(MethodName.class), EnumSet.copyOf(listed));
        for (MethodCategory category : MethodCategory.values())
            assertFalse(category.methods().isEmpty(), category.displayName());
    }

    @Test
    void everyMethodHasItsOwnShortDescription() {
        Set<String> lines = new HashSet<>();
        for (MethodName choice : MethodName.values()) lines.add(choice.description());
        assertEquals(MethodName.values().length, lines.size());
        assertFalse(lines.stream().anyMatch(line -> line.isBlank() || line.length() > 90), lines.toString());
    }

    @Test
    void allowedValuesAreCanonical() {
        for (MethodSetting setting : MethodSetting.values())
            for (String name : setting.allowedValues()) assertEquals(name, setting.canonical(name));
    }
}
