package atomstudio.app.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.app.generate.SubjectPrompt;
import java.util.List;
import org.junit.jupiter.api.Test;

class PromptVariantTest {
    private static List<String> texts(SubjectPrompt prompt) {
        return PromptVariant.of(prompt).stream().map(one -> one.prompt().text("sks car")).toList();
    }

    private static List<String> labels(SubjectPrompt prompt) {
        return PromptVariant.of(prompt).stream().map(PromptVariant::label).toList();
    }

    @Test
    void alternativesAreTried() {
        SubjectPrompt prompt = new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT,
                "{in the snow|on the beach | at night}, 4k");
        assertEquals(List.of("a sks car in the snow, 4k", "a sks car on the beach, 4k", "a sks car at night, 4k"),
                texts(prompt));
        assertEquals(List.of("in the snow", "on the beach", "at night"), labels(prompt));
    }

    @Test
    void severalAlternativesAreCombined() {
        SubjectPrompt prompt = new SubjectPrompt("a {red|blue}", SubjectPrompt.Mention.SUBJECT, "{on grass|} today");
        assertEquals(List.of("a red sks car on grass today", "a red sks car today", "a blue sks car on grass today",
                "a blue sks car today"), texts(prompt));
        assertEquals("blue · –", labels(prompt).getLast());
    }

    @Test
    void bracesWithoutAlternativesAreText() {
        for (String text : List.of("a {car} on grass", "a {car on grass", "a car} on {", "")) {
            assertEquals(List.of(text), texts(SubjectPrompt.ofText(text)));
            assertEquals(List.of(""), labels(SubjectPrompt.ofText(text)));
        }
        assertEquals(List.of("{a} 1 {", "{a} 2 {"), texts(SubjectPrompt.ofText("{a} {1|2} {")));
    }

    @Test
    void combinationsAreLimited() {
        assertEquals(PromptVariant.MAX_VARIANTS, texts(SubjectPrompt.ofText("{a|b|c|d}".repeat(8))).size());
    }
}
