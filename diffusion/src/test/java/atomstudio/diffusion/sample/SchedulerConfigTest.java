package atomstudio.diffusion.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SchedulerConfigTest {
    private static SchedulerConfig parse(String json) throws Failure {
        return SchedulerConfig.parse("scheduler_config.json", json);
    }

    @Test void anAbsentSpacingIsWhatTheChosenClassHas() throws Exception {
        SchedulerConfig published = parse("{\"_class_name\": \"PNDMScheduler\", \"steps_offset\": 1}");
        assertEquals("PNDMScheduler", published.className());
        assertEquals(Spacing.LEADING, published.spacing());
        assertEquals(Spacing.LEADING, published.forClass("DDIMScheduler").spacing());
        assertEquals(Spacing.LINSPACE, published.forClass("EulerDiscreteScheduler").spacing());
        assertEquals(Spacing.LINSPACE, published.forClass("EulerAncestralDiscreteScheduler").spacing());
        assertEquals(Spacing.LINSPACE, published.forClass("DPMSolverMultistepScheduler").spacing());
    }

    @Test void aWrittenSpacingHoldsForEveryClass() throws Exception {
        SchedulerConfig config = parse("{\"timestep_spacing\": \"trailing\"}");
        for (SamplerName name : SamplerName.values()) assertEquals(Spacing.TRAILING, config.forClass(name.referenceClass()).spacing());
    }

    @Test void generationStartsOneTimestepLaterAndClipsNothing() throws Exception {
        SchedulerConfig config = parse("{\"clip_sample\": true, \"steps_offset\": 0, \"timestep_spacing\": \"leading\"}");
        assertEquals(1, config.forGeneration().stepsOffset());
        assertEquals(0, config.stepsOffset());
        assertEquals(new Ddim(1), SamplerName.DDIM.plan(config, 4).sampler());
        assertEquals(new Ddim(Double.POSITIVE_INFINITY), SamplerName.DDIM.forGeneration(config, ScheduleName.MODEL, 4).sampler());
        assertEquals(751, SamplerName.DDIM.forGeneration(config, ScheduleName.MODEL, 4).schedule().steps().getFirst().timestep());
    }

    @Test void nullIsAsGoodAsAbsent() throws Exception {
        assertEquals(Prediction.EPSILON, parse("{\"prediction_type\": null, \"trained_betas\": null}").prediction());
        assertEquals(1000, NoiseSchedule.of(parse("{\"trained_betas\": null}")).size());
    }

    @Test void minusInfinityIsANumberThere() throws Exception {
        assertEquals(6, SamplerName.DPM_PLUS_PLUS_2M.plan(parse("{\"lambda_min_clipped\": -Infinity}"), 6).schedule().size());
    }

    @Test void refusesAWrongValueByItsKey() throws Exception {
        for (String wrong : List.of("\"steps_offset\": \"one\"", "\"steps_offset\": 1.5", "\"beta_start\": true", "\"clip_sample\": 1", "\"trained_betas\": [\"x\"]", "\"timestep_spacing\": 3")) {
            SchedulerConfig config = parse("{" + wrong + "}");
            String message = assertThrows(Failure.Unreadable.class, () -> SamplerName.DDIM.plan(config, 5), wrong).getMessage();
            assertTrue(message.contains(wrong.substring(1, wrong.indexOf('"', 1))) && message.contains("expected"), message);
        }
        for (String wrong : List.of("", "[]", "{", "{\"num_train_timesteps\": 0}", "{\"num_train_timesteps\": 2000000000}")) {
            assertThrows(Failure.Unreadable.class, () -> parse(wrong), wrong);
        }
    }

    @Test void refusesAFileThatIsNotThere(@TempDir Path folder) {
        assertThrows(Failure.Unreadable.class, () -> SchedulerConfig.read(folder.resolve("scheduler_config.json")));
    }

    @Test void refusesBetasOfAnotherNumberThanTimesteps() throws Exception {
        SchedulerConfig config = parse("{\"trained_betas\": [0.1, 0.2], \"num_train_timesteps\": 3}");
        assertTrue(assertThrows(Failure.Incompatible.class, () -> NoiseSchedule.of(config)).getMessage().contains("expected 3 numbers"));
    }

    /// diffusers 0.42.1, DDIMScheduler.alphas_cumprod.
    @Test void schedulesNoiseAsTheReferenceDoes() throws Exception {
        String published = "\"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\"";
        assertBars("{" + published + "}", 0.999149978, 0.998296022, 0.27766943, 0.276332468, 0.00471669575, 0.00466009509);
        assertBars("{" + published + ", \"rescale_betas_zero_snr\": true}", 0.999149978, 0.998233497, 0.242358997, 0.241018638, 1.96796336e-07, 0.0);
        assertBars("{}", 0.999899983, 0.999780059, 0.078587234, 0.0777966529, 4.11819419e-05, 4.03583035e-05);
        assertBars("{\"beta_schedule\": \"squaredcos_cap_v2\"}", 0.999958694, 0.99991256, 0.493843466, 0.492285043, 2.42876627e-06, 2.42873499e-09);
    }

    private static void assertBars(String json, double... expected) throws Failure {
        NoiseSchedule schedule = NoiseSchedule.of(parse(json));
        int[] timesteps = {0, 1, 499, 500, 998, 999};
        for (int i = 0; i < timesteps.length; i++) assertEquals(expected[i], schedule.alphaBar(timesteps[i]), 2e-6 * expected[i], json + " at " + timesteps[i]);
    }

    @Test void namesWhatIsNotBuilt() throws Exception {
        assertNotBuilt("EulerDiscreteScheduler", "\"use_exponential_sigmas\": true", "use_exponential_sigmas");
        assertNotBuilt("EulerDiscreteScheduler", "\"use_beta_sigmas\": true", "use_beta_sigmas");
        assertNotBuilt("EulerDiscreteScheduler", "\"interpolation_type\": \"log_linear\"", "log_linear");
        assertNotBuilt("EulerAncestralDiscreteScheduler", "\"prediction_type\": \"sample\"", "sample");
        assertNotBuilt("DPMSolverMultistepScheduler", "\"solver_type\": \"heun\"", "heun");
        assertNotBuilt("DPMSolverMultistepScheduler", "\"solver_order\": 3", "solver_order 3");
        assertNotBuilt("DPMSolverMultistepScheduler", "\"algorithm_type\": \"sde-dpmsolver++\"", "sde-dpmsolver++");
        assertNotBuilt("DPMSolverMultistepScheduler", "\"use_flow_sigmas\": true", "use_flow_sigmas");
        assertNotBuilt("DDIMScheduler", "\"thresholding\": true", "thresholding");
        assertNotBuilt("DDIMScheduler", "\"prediction_type\": \"flow_prediction\"", "flow_prediction");
        assertNotBuilt("UniPCMultistepScheduler", "\"solver_order\": 2", "UniPCMultistepScheduler");
    }

    private static void assertNotBuilt(String className, String setting, String named) throws Failure {
        SchedulerConfig config = parse("{" + setting + "}");
        String message = assertThrows(Failure.NotBuilt.class, () -> SamplerName.planClass(className, config, 10), setting).getMessage();
        assertTrue(message.contains(named), message);
    }

    @Test void aSettingOfAnotherClassIsNotRead() throws Exception {
        SchedulerConfig config = parse("{\"use_exponential_sigmas\": true, \"solver_order\": 3, \"use_karras_sigmas\": true, \"clip_sample\": false, \"set_alpha_to_one\": false}");
        assertEquals(SamplerName.DDIM.plan(parse("{\"clip_sample\": false, \"set_alpha_to_one\": false}"), 10), SamplerName.DDIM.plan(config, 10));
        assertEquals(SamplerName.EULER_ANCESTRAL.plan(parse("{}"), 10), SamplerName.EULER_ANCESTRAL.plan(config, 10));
    }

    @Test void refusesKarrasWhereTheReferenceHasNone() throws Exception {
        SchedulerConfig config = parse("{}");
        for (SamplerName name : SamplerName.values()) {
            if (name.karras()) {
                assertFalse(name.forGeneration(config, ScheduleName.KARRAS, 8).equals(name.forGeneration(config, ScheduleName.MODEL, 8)));
            } else {
                String message = assertThrows(Failure.Incompatible.class, () -> name.forGeneration(config, ScheduleName.KARRAS, 8)).getMessage();
                assertTrue(message.contains(name.option()) && message.contains("karras"), message);
            }
        }
    }

    @Test void refusesStepsThatTheTimestepsDoNotHold() throws Exception {
        SchedulerConfig leading = parse("{\"timestep_spacing\": \"leading\", \"steps_offset\": 1}");
        for (SamplerName name : SamplerName.values()) {
            assertThrows(Failure.Incompatible.class, () -> name.plan(leading, 0));
            assertThrows(Failure.Incompatible.class, () -> name.plan(leading, 1001));
        }
        assertThrows(Failure.Incompatible.class, () -> SamplerName.DDIM.plan(leading, 1000));
        assertThrows(Failure.Incompatible.class, () -> SamplerName.DPM_PLUS_PLUS_2M.plan(leading, 1000));
        assertEquals(999, SamplerName.DPM_PLUS_PLUS_2M.plan(leading, 999).schedule().size());
    }

    @Test void refusesToGuessThePictureFromNoiseAlone() throws Exception {
        SchedulerConfig config = parse("{\"rescale_betas_zero_snr\": true, \"timestep_spacing\": \"trailing\"}");
        assertThrows(Failure.Incompatible.class, () -> SamplerName.DDIM.plan(config, 10));
    }

    @Test void samplersAreFoundByTheirNames() {
        assertEquals(List.of("ddim", "euler", "euler-a", "dpmpp-2m"), Arrays.stream(SamplerName.values()).map(SamplerName::option).toList());
        for (SamplerName name : SamplerName.values()) {
            assertEquals(name, SamplerName.ofOption(name.option()).orElseThrow());
            assertEquals(name, SamplerName.ofClass(name.referenceClass()).orElseThrow());
        }
        assertTrue(SamplerName.ofOption("pndm").isEmpty());
    }
}
