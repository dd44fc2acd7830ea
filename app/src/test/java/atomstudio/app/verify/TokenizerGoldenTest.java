package atomstudio.app.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.tensor.Deviation;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerGoldenTest {
    @ParameterizedTest @ValueSource(strings = {"plain", "bang"})
    void idsMatchTransformers(String name) throws Exception {
        Path folder = Shared.own("goldens/tokenizer");
        check(folder.resolve(name + ".jsonl"), Tokenizer.open(folder.resolve(name)), 360);
    }

    @Test
    void idsMatchTheReferenceWithOpenAiVocabulary() throws Exception {
        Tokenizer clip = Tokenizer.open(Shared.file("data/clip-vocabulary"));
        check(Shared.file("goldens/tokenizer/clip.jsonl"), clip, 76);
        assertEquals(77, clip.maxLength());
    }

    @Test
    void longPromptsMatchA1111() throws Exception {
        check(Shared.own("goldens/prompts/clip.jsonl"), Tokenizer.open(Shared.file("data/clip-vocabulary")), 16);
    }

    private static void check(Path golden, Tokenizer tokenizer, int lines) throws Exception {
        List<Deviation> deviations = TokenizerGolden.verify(golden, tokenizer);
        assertEquals(lines, deviations.size());
        for (Deviation deviation : deviations) assertTrue(deviation.isWithinTolerance(), deviation.toString());
    }
}
