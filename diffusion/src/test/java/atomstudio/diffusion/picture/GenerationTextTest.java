package atomstudio.diffusion.picture;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;

class GenerationTextTest {
    private static GenerationText made(String prompt, String negative) {
        return GenerationText.of(prompt, negative).steps(25).sampler("Euler a").schedule("Karras").guidance(7.5).seed(42)
            .size(128, 96).model("Small illustrated").adapter("car, blue", 0.8).hash("Lora hashes", "car, blue", "0123456789abcdef").version("Atom Studio 0.1.0");
    }

    @Test void writesTheLineThatOtherProgramsRead() {
        assertEquals("""
            a sks car in the snow
            Negative prompt: blurry
            Steps: 25, Sampler: Euler a, Schedule type: Karras, CFG scale: 7.5, Seed: 42, Size: 128x96, Model: Small illustrated, \
            Adapter: "car, blue", Adapter strength: 0.8, Lora hashes: "car blue: 0123456789ab", Version: Atom Studio 0.1.0""",
            made("a sks car in the snow", "blurry").format());
    }

    @Test void readsBackWhatItWrote() {
        for (String prompt : new String[] {"", "a car", "two\nlines, with: colons", "\"quoted\", \\ and 雪", "Steps: 3"}) {
            for (String negative : new String[] {"", "blurry", "ugly,\nbad"}) {
                assertEquals(made(prompt, negative), GenerationText.parse(made(prompt, negative).format()));
            }
        }
    }

    @Test void quotesValuesThatWouldBreakTheLine() {
        for (String value : new String[] {"a, b", "a: b", "a\nb", "say \"hi\"", " padded ", "back\\slash, too"}) {
            GenerationText text = made("a car", "").with("Model", value);
            assertEquals(value, GenerationText.parse(text.format()).settings().get("Model"), value);
        }
    }

    @Test void readsTheTextOfOtherPrograms() {
        GenerationText text = GenerationText.parse("""
            photo of a <lora:car:0.8> car,
             in the rain
            Negative prompt: cartoon
            Steps: 30, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 1, Size: 512x512, Model hash: abcdef0123, Model: v1-5, Lora hashes: "car: 0123456789ab", Version: v1.10.1
            """);
        assertEquals("photo of a <lora:car:0.8> car,\nin the rain", text.prompt());
        assertEquals("cartoon", text.negative());
        assertEquals("DPM++ 2M", text.settings().get("Sampler"));
        assertEquals("car: 0123456789ab", text.settings().get("Lora hashes"));
        assertEquals(10, text.settings().size());
    }

    @Test void aTextWithoutSettingsIsAllPrompt() {
        assertEquals(new GenerationText("a car\nin: the, rain", "", Map.of()), GenerationText.parse("a car\nin: the, rain"));
    }
}
