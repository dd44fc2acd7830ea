package atomstudio.tuning.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PeftConfigTest {
    private static final String Q = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q";

    private static PeftConfig read(String json) throws Failure {
        return PeftConfig.parse(Json.parse("config", json), "").orElseThrow();
    }

    /// As in peft 0.21's get_pattern_key.
    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
            "{\"lora_alpha\":8,\"r\":4};2", "{\"lora_alpha\":8,\"use_rslora\":true};4", "{\"alpha\":2};0.5",
            "{\"r\":4};2", "{\"lora_alpha\":8,\"alpha_pattern\":{\"to_q\":4}};1",
            "{\"lora_alpha\":8,\"alpha_pattern\":{\"q\":4}};2",
            "{\"lora_alpha\":8,\"alpha_pattern\":{\"attn1.to_q\":4,\"to_q\":1}};1",
            "{\"lora_alpha\":8,\"alpha_pattern\":{\"down_blocks.*to_q\":4}};1",
            "{\"lora_alpha\":8,\"alpha_pattern\":{\"up_blocks.*\":4}};2",
            "{\"lora_alpha\":8,\"alpha_pattern\":{\"(to_k|to_q)\":4}};1"})
    void alphaAndPatternsMatchPeft(String json, double scale) throws Exception {
        assertEquals(scale, read(json).scale(Q, OptionalDouble.of(4)), 1e-12);
    }

    @Test
    void configuredRankAppliesIfTensorsShowNone() throws Exception {
        assertEquals(2, read("{\"alpha\":8,\"r\":4}").scale(Q, OptionalDouble.empty()));
        assertEquals(1, read("{\"alpha\":8,\"r\":4,\"rank_pattern\":{\"to_q\":8}}").scale(Q, OptionalDouble.empty()));
        assertThrows(IllegalArgumentException.class, () -> read("{\"alpha\":8}").scale(Q, OptionalDouble.empty()));
    }

    @Test
    void eachComponentHasItsOwnConfiguration() throws Exception {
        Json json = Json.parse("config", "{\"unet.lora_alpha\":8,\"text_encoder.lora_alpha\":2}");
        assertEquals(8, PeftConfig.parse(json, "unet.").orElseThrow().alpha());
        assertEquals(2, PeftConfig.parse(json, "text_encoder.").orElseThrow().alpha());
        assertEquals(Optional.empty(), PeftConfig.parse(json, "vae."));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"lora_alpha\":\"8\"}", "{\"lora_alpha\":[8,8]}", "{\"r\":0}", "{\"r\":\"x\"}",
            "{\"use_rslora\":1}", "{\"alpha_pattern\":[]}", "{\"alpha_pattern\":{\"to_q\":\"4\"}}",
            "{\"alpha_pattern\":{\"(\":4}}",
            "{\"rank_pattern\":{\"to_q\":null}}", "{\"init_lora_weights\":\"pissa_niter_4\"}"})
    void rejectsInvalidValuesByKey(String json) {
        String message = assertThrows(Failure.class, () -> read(json)).getMessage();
        assertTrue(message.startsWith("config: ") && message.contains(json.substring(2, json.indexOf('"', 2))),
                message);
    }

    @Test
    void rejectsPatternsOfExponentialTime() throws Exception {
        PeftConfig scale = read("{\"alpha_pattern\":{\"(a|aa|a.)*(b|bb)*(a*)*c\":4}}");
        assertTimeoutPreemptively(Duration.ofSeconds(5), () -> assertThrows(IllegalArgumentException.class,
                () -> scale.scale("a".repeat(200), OptionalDouble.of(1))));
    }
}
