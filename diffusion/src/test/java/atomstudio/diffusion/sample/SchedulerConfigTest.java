package atomstudio.diffusion.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.Sigmas.TimestepSpacing;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SchedulerConfigTest {
    private static SchedulerConfig parse(String json) throws Failure {
        return SchedulerConfig.parse("scheduler_config.json", json);
    }

    private static SamplingPlan plan(SamplerName name, SchedulerConfig config, int steps) throws Failure {
        return SamplingSettings.of(name, ScheduleName.AUTOMATIC, steps).planUnmodified(config);
    }

    @Test
    void absentSpacingDependsOnTheClass() throws Exception {
        SchedulerConfig published = parse("{\"_class_name\": \"PNDMScheduler\", \"steps_offset\": 1}");
        assertEquals("PNDMScheduler", published.className());
        assertEquals(TimestepSpacing.LEADING, published.spacing());
        assertEquals(TimestepSpacing.LEADING, published.forClass("DDIMScheduler").spacing());
        assertEquals(TimestepSpacing.LINSPACE, published.forClass("EulerDiscreteScheduler").spacing());
        assertEquals(TimestepSpacing.LINSPACE, published.forClass("EulerAncestralDiscreteScheduler").spacing());
        assertEquals(TimestepSpacing.LINSPACE, published.forClass("DPMSolverMultistepScheduler").spacing());
    }

    @Test
    void presentSpacingAppliesToEveryClass() throws Exception {
        SchedulerConfig config = parse("{\"timestep_spacing\": \"trailing\"}");
        for (SamplerName name : SamplerName.values())
            assertEquals(TimestepSpacing.TRAILING, config.forClass(name.referenceClass()).spacing());
    }

    @Test
    void generationUsesOffsetOneAndNoClipping() throws Exception {
        SchedulerConfig config = parse(
                "{\"clip_sample\": true, \"steps_offset\": 0, \"timestep_spacing\": \"leading\"}");
        assertEquals(1, config.forGeneration().stepsOffset());
        assertEquals(0, config.stepsOffset());
        assertEquals(new Ddim(new Thresholding.ClipSample(1), 0), plan(SamplerName.DDIM, config, 4).sampler());
        assertEquals(new Ddim(new Thresholding.None(), 0),
                SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 4).plan(config).sampler());
        assertEquals(751,
                SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 4)
                        .plan(config)

                        .steps()
                        .getFirst()
                        .timestep());
    }

    @Test
    void nullMeansAbsent() throws Exception {
        assertEquals(PredictionType.EPSILON,
                parse("{\"prediction_type\": null, \"trained_betas\": null}").predictionType());
        assertEquals(1000, NoiseSchedule.of(parse("{\"trained_betas\": null}")).size());
    }

    @Test
    void readsMinusInfinity() throws Exception {
        assertEquals(6,
                plan(SamplerName.DPM_PLUS_PLUS_2M, parse("{\"lambda_min_clipped\": -Infinity}"), 6).steps().size());
    }

    @Test
    void namesTheKeyOfAnInvalidValue() throws Exception {
        for (String wrong : List.of("\"steps_offset\": \"one\"", "\"steps_offset\": 1.5", "\"beta_start\": true",
                "\"clip_sample\": 1", "\"trained_betas\": [\"x\"]", "\"timestep_spacing\": 3")) {
            SchedulerConfig config = parse("{" + wrong + "}");
            String message = assertThrows(Failure.Unreadable.class, () -> plan(SamplerName.DDIM, config, 5), wrong)
                    .getMessage();
            assertTrue(message.contains(wrong.substring(1, wrong.indexOf('"', 1))) && message.contains("expected"),
                    message);
        }
        for (String wrong : List.of("", "[]", "{", "{\"num_train_timesteps\": 0}",
                "{\"num_train_timesteps\": 2000000000}")) {
            assertThrows(Failure.Unreadable.class, () -> parse(wrong), wrong);
        }
    }

    @Test
    void rejectsMissingFile(@TempDir Path folder) {
        assertThrows(Failure.Unreadable.class, () -> SchedulerConfig.read(folder.resolve("scheduler_config.json")));
    }

    @Test
    void rejectsBetasThatDifferInNumberFromTimesteps() throws Exception {
        SchedulerConfig config = parse("{\"trained_betas\": [0.1, 0.2], \"num_train_timesteps\": 3}");
        assertTrue(assertThrows(Failure.Incompatible.class, () -> NoiseSchedule.of(config)).getMessage()
                .contains("expected 3 numbers"));
    }

    /// diffusers 0.42.1, DDIMScheduler.alphas_cumprod.
    @Test
    void alphasCumprodMatchDiffusers() throws Exception {
        String published = "\"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\"";
        assertAlphasCumprod("{" + published + "}", 0.999149978, 0.998296022, 0.27766943, 0.276332468, 0.00471669575,
                0.00466009509);
        assertAlphasCumprod("{" + published + ", \"rescale_betas_zero_snr\": true}", 0.999149978, 0.998233497,
                0.242358997,
                0.241018638, 1.96796336e-07, 0.0);
        assertAlphasCumprod("{}", 0.999899983, 0.999780059, 0.078587234, 0.0777966529, 4.11819419e-05, 4.03583035e-05);
        assertAlphasCumprod("{\"beta_schedule\": \"squaredcos_cap_v2\"}", 0.999958694, 0.99991256, 0.493843466,
                0.492285043,
                2.42876627e-06, 2.42873499e-09);
    }

    private static void assertAlphasCumprod(String json, double... expected) throws Failure {
        NoiseSchedule schedule = NoiseSchedule.of(parse(json));
        int[] timesteps = {0, 1, 499, 500, 998, 999};
        for (int i = 0; i < timesteps.length; i++)
            assertEquals(expected[i], schedule.alphaCumprod(timesteps[i]), 2e-6 * expected[i],
                    json + " at " + timesteps[i]);
    }

    @Test
    void namesUnsupportedSettings() throws Exception {
        assertUnsupported("EulerDiscreteScheduler", "\"interpolation_type\": \"log_linear\"", "log_linear");
        assertUnsupported("DPMSolverMultistepScheduler", "\"solver_type\": \"euler\"", "euler");
        assertUnsupported("DPMSolverMultistepScheduler", "\"solver_order\": 3", "solver_order 3");
        assertUnsupported("DPMSolverMultistepScheduler", "\"algorithm_type\": \"dpmsolver\"", "dpmsolver");
        assertUnsupported("DPMSolverMultistepScheduler", "\"use_flow_sigmas\": true", "use_flow_sigmas");
        assertUnsupported("DPMSolverSinglestepScheduler", "\"solver_order\": 2", "DPMSolverSinglestepScheduler");
        assertUnsupported("DDPMScheduler", "\"variance_type\": \"learned\"", "learned");
        assertUnsupported("DDIMScheduler", "\"prediction_type\": \"flow_prediction\"", "flow_prediction");
        assertUnsupported("PNDMScheduler", "\"steps_offset\": 1", "skip_prk_steps");
        assertUnsupported("UniPCMultistepScheduler", "\"predict_x0\": false", "predict_x0");
    }

    private static void assertUnsupported(String className, String setting, String named) throws Failure {
        SchedulerConfig config = parse("{" + setting + "}").forClass(className);
        String message = assertThrows(Failure.Unsupported.class, () -> plan(SamplerName.of(config), config, 10),
                setting).getMessage();
        assertTrue(message.contains(named), message);
    }

    @Test
    void rejectsTwoSchedulesInOneConfig() throws Exception {
        SchedulerConfig config = parse("{\"use_karras_sigmas\": true, \"use_beta_sigmas\": true}");
        assertTrue(assertThrows(Failure.Incompatible.class, () -> plan(SamplerName.EULER, config, 10)).getMessage()
                .contains("use_beta_sigmas"));
        assertEquals(10,
                SamplingSettings.of(SamplerName.EULER, ScheduleName.EXPONENTIAL, 10)
                        .planUnmodified(config)

                        .steps()
                        .size(),
                "the chosen schedule takes precedence");
    }

    @Test
    void ignoresSettingsOfOtherClasses() throws Exception {
        SchedulerConfig config = parse(
                "{\"use_exponential_sigmas\": true, \"solver_order\": 3, \"use_karras_sigmas\": true, "
                        + "\"clip_sample\": false, \"set_alpha_to_one\": false}");
        assertEquals(plan(SamplerName.DDIM, parse("{\"clip_sample\": false, \"set_alpha_to_one\": false}"), 10),
                plan(SamplerName.DDIM, config, 10));
        assertEquals(plan(SamplerName.EULER_ANCESTRAL, parse("{}"), 10), plan(SamplerName.EULER_ANCESTRAL, config, 10));
    }

    @Test
    void everySupportedScheduleHasDistinctSteps() throws Exception {
        SchedulerConfig config = parse(
                "{\"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\"}");
        for (SamplerName name : SamplerName.values()) {
            Set<List<SamplingPlan.Step>> distinct = new HashSet<>();
            for (ScheduleName schedule : ScheduleName.values()) {
                SamplingSettings sampling = SamplingSettings.of(name, schedule, 8);
                if (name.schedules().contains(schedule)) {
                    assertTrue(distinct.add(sampling.plan(config).steps()), name + " " + schedule);
                } else {
                    String message = assertThrows(Failure.Incompatible.class, () -> sampling.plan(config)).getMessage();
                    assertTrue(message.contains(name.option()) && message.contains(schedule.option()), message);
                }
            }
        }
    }

    @Test
    void rejectsEtaForSamplersWithoutIt() throws Exception {
        SchedulerConfig config = parse("{}");
        for (SamplerName name : SamplerName.values()) {
            SamplingSettings half = SamplingSettings.of(name, ScheduleName.AUTOMATIC, 8).withEta(0.5);
            if (name.defaultEta().isPresent()) {
                assertFalse(
                        half.plan(config).equals(SamplingSettings.of(name, ScheduleName.AUTOMATIC, 8).plan(config)));
                assertTrue(assertThrows(Failure.Incompatible.class, () -> half.withEta(1.5).plan(config)).getMessage()
                        .contains("1.5"));
            } else {
                assertTrue(assertThrows(Failure.Incompatible.class, () -> half.plan(config)).getMessage()
                        .contains(name.option()));
            }
        }
    }

    @Test
    void chosenPredictionTypeOverridesTheConfig() throws Exception {
        SchedulerConfig config = parse("{\"prediction_type\": \"epsilon\"}");
        for (PredictionType prediction : PredictionType.values()) {
            assertEquals(prediction,
                    SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 8)
                            .withPredictionType(prediction)
                            .plan(config)

                            .predictionType());
        }
    }

    @Test
    void rejectsMoreStepsThanTimesteps() throws Exception {
        SchedulerConfig leading = parse(
                "{\"timestep_spacing\": \"leading\", \"steps_offset\": 1, \"skip_prk_steps\": true}");
        for (SamplerName name : SamplerName.values()) {
            assertThrows(Failure.Incompatible.class, () -> plan(name, leading, 0));
            assertThrows(Failure.Incompatible.class, () -> plan(name, leading, 1001));
        }
        assertThrows(Failure.Incompatible.class, () -> plan(SamplerName.DDIM, leading, 1000));
        assertThrows(Failure.Incompatible.class, () -> plan(SamplerName.DPM_PLUS_PLUS_2M, leading, 1000));
        assertThrows(Failure.Incompatible.class, () -> plan(SamplerName.DPM_PLUS_PLUS_2M, leading, 999),
                "timestep 1000");
        assertEquals(998, plan(SamplerName.DPM_PLUS_PLUS_2M, leading, 998).steps().size());
    }

    @Test
    void rejectsEpsilonPredictionWithZeroTerminalSnr() throws Exception {
        SchedulerConfig config = parse("{\"rescale_betas_zero_snr\": true, \"timestep_spacing\": \"trailing\"}");
        assertThrows(Failure.Incompatible.class, () -> plan(SamplerName.DDIM, config, 10));
    }

    @Test
    void findsTheSamplerOfAClassAndAlgorithm() throws Exception {
        SchedulerConfig config = parse("{}");
        for (SamplerName name : List.of(SamplerName.EULER, SamplerName.EULER_ANCESTRAL, SamplerName.DDIM,
                SamplerName.PNDM, SamplerName.DPM_PLUS_PLUS_2M, SamplerName.UNIPC)) {
            assertEquals(name, SamplerName.of(config.forClass(name.referenceClass())));
        }
        assertEquals(SamplerName.DPM_PLUS_PLUS_2M_SDE, SamplerName.of(
                parse("{\"_class_name\": \"DPMSolverMultistepScheduler\", \"algorithm_type\": \"sde-dpmsolver++\"}")));
        assertTrue(SamplerName.ofSupported(config.forClass("DPMSolverSinglestepScheduler")).isEmpty());
    }

    @Test
    void findsSamplersAndSchedulesByOption() {
        assertEquals(
                List.of("euler", "euler-a", "heun", "lms", "ddim", "ddpm", "pndm", "dpmpp-2m", "dpmpp-2m-sde",
                        "dpmpp-sde", "dpmpp-2s-a", "dpmpp-3m-sde", "dpm2", "dpm2-a", "unipc", "deis", "lcm", "tcd"),
                Arrays.stream(SamplerName.values()).map(SamplerName::option).toList());
        for (SamplerName name : SamplerName.values()) {
            assertEquals(name, SamplerName.ofOption(name.option()).orElseThrow());
        }
        assertTrue(SamplerName.ofOption("plms").isEmpty());
        for (ScheduleName name : ScheduleName.values())
            assertEquals(name, ScheduleName.ofOption(name.option()).orElseThrow());
        assertEquals("sgm-uniform", ScheduleName.SGM_UNIFORM.option());
        assertEquals("automatic", ScheduleName.AUTOMATIC.option());
        assertEquals(ScheduleName.AUTOMATIC, ScheduleName.ofOption("model").orElseThrow(), "the earlier name");
    }
}
