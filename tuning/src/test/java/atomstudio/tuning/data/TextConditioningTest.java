package atomstudio.tuning.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.PromptEncoder;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.BatchConditioning;
import atomstudio.tuning.torch.TorchEngine;
import atomstudio.tuning.torch.TorchSettings;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Captions of any length.
class TextConditioningTest {
    private static final String SHORT = "a sks car";
    private static DiffusionModel model;
    private static Tokenizer tokenizer;
    private static Engine engine;

    @BeforeAll
    static void open() throws Exception {
        model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        tokenizer = model.tokenizer();
        engine = TorchEngine.open(model, Device.CPU, TorchSettings.standard().withThreads(1)).networks();
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    /// A caption of this many chunks.
    private static String caption(int chunks) throws Exception {
        StringBuilder text = new StringBuilder("a sks car, red");
        while (tokenizer.captionChunks(text.toString()).size() < chunks) text.append(" and red");
        return text.toString();
    }

    @Test
    void shortCaptionIsOneChunk() throws Exception {
        assertEquals(1, tokenizer.captionChunks(SHORT).size());
        assertArrayEquals(tokenizer.encodePadded(SHORT).ids(), tokenizer.captionChunks(SHORT).getFirst());
        assertArrayEquals(tokenizer.encodePadded("").ids(), tokenizer.captionChunks("").getFirst());
        assertArrayEquals(tokenizer.encodePadded("a (sks:1.5) car").ids(),
                tokenizer.captionChunks("a (sks:1.5) car").getFirst(), "brackets have no meaning in captions");
    }

    @Test
    void longCaptionsAreEncodedLikeLongPrompts() throws Exception {
        PromptEncoder prompts = PromptEncoder.of(model, engine.textEncoder());
        for (int chunks = 1; chunks <= TextConditioning.MAX_CHUNKS; chunks++) {
            String caption = caption(chunks);
            BatchConditioning.Embedded trained = assertInstanceOf(BatchConditioning.Embedded.class,
                    TextConditioning.precompute(List.of(caption), tokenizer, engine.textEncoder())
                            .of(List.of(caption)));
            // With a negative prompt of as many chunks, so that sampling does not repeat chunks.
            Tensor sampled = prompts.encode(new Generation.PromptPair(caption, caption), 1, List.of()).prompt();
            assertEquals(sampled, trained.context(), chunks + " chunks");
            assertEquals(chunks * tokenizer.maxLength(), trained.context().shape().size(1));
        }
    }

    @Test
    void captionsOfABatchAreRepeatedToTheSameLength() throws Exception {
        List<String> captions = List.of(SHORT, caption(2), caption(3));
        BatchConditioning.Embedded embedded = (BatchConditioning.Embedded) TextConditioning
                .precompute(captions, tokenizer, engine.textEncoder())
                .of(captions);
        assertEquals(6L * tokenizer.maxLength(), embedded.context().shape().size(1));
        BatchConditioning.TokenIds words = (BatchConditioning.TokenIds) TextConditioning.tokenize(captions, tokenizer)
                .of(captions);
        assertEquals(6, words.chunks());
        assertEquals(18, words.ids().length);
        assertArrayEquals(words.ids()[0], words.ids()[5]);
        assertArrayEquals(words.ids()[6], words.ids()[8]);
    }

    @Test
    void truncatesCaptionsAfterThreeChunksWithAWarning() throws Exception {
        assertEquals(List.of(), TextConditioning.warnings(List.of(SHORT, caption(3)), tokenizer));
        String longer = caption(4) + String.join("", Collections.nCopies(5, " and green"));
        List<String> warnings = TextConditioning.warnings(List.of(longer, longer, SHORT), tokenizer);
        assertEquals(1, warnings.size());
        assertTrue(
                warnings.getFirst().contains("a sks car, red and red")
                        && warnings.getFirst().contains(" tokens, more than the " + 3 * (tokenizer.maxLength() - 2)),
                warnings.getFirst());
        assertEquals(3,
                ((BatchConditioning.TokenIds) TextConditioning.tokenize(List.of(longer), tokenizer).of(List.of(longer)))
                        .chunks());
    }
}
