package atomstudio.diffusion.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.SamplingRun.Denoiser;
import atomstudio.diffusion.sample.Sigmas.TimestepSpacing;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// For every sampler, schedule and number of steps: noise levels are finite and decrease, and sampled latents are
/// finite; or the combination is rejected for a known reason.
class ScheduleLawTest {
    private static final int[] STEPS = {1, 2, 3, 4, 20, 50, 999, 1000};
    private static final Shape SHAPE = Shape.of(1, 1, 1, 2);

    static List<String> configs() {
        List<String> configs = new ArrayList<>();
        for (String spacing : List.of("", ", \"timestep_spacing\": \"leading\"", ", \"timestep_spacing\": \"linspace\"",
                ", \"timestep_spacing\": \"trailing\"")) {
            for (String more : List.of("", ", \"prediction_type\": \"v_prediction\", \"rescale_betas_zero_snr\": true",
                    ", \"final_sigmas_type\": \"sigma_min\", \"solver_type\": \"heun\"")) {
                configs.add(
                        "{\"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", "
                                + "\"set_alpha_to_one\": false"
                                + spacing + more + "}");
            }
        }
        configs.add("{\"beta_schedule\": \"squaredcos_cap_v2\"}");
        return configs;
    }

    @ParameterizedTest @MethodSource("configs")
    void noiseDecreasesAndLatentsStayFinite(String json) throws Exception {
        SchedulerConfig config = SchedulerConfig.parse("test", json);
        List<String> rejected = new ArrayList<>();
        for (SamplerName name : SamplerName.values()) {
            for (ScheduleName schedule : name.schedules()) {
                for (int steps : STEPS) {
                    SamplingSettings sampling = SamplingSettings.of(name, schedule, steps);
                    String which = json + " " + name + " " + schedule + " " + steps;
                    try {
                        check(which, sampling.plan(config));
                    } catch (Failure.Incompatible e) {
                        rejected.add(name + " " + schedule + " " + steps + ": " + e.getMessage());
                    }
                }
            }
        }
        for (String message : rejected) assertTrue(mayBeRejected(message, json), message);
    }

    /// Three valid reasons: more steps than a distilled model has timesteps, all 1000 steps with an offset of one, and
    /// PNDM from zero SNR.
    private static boolean mayBeRejected(String rejected, String json) {
        boolean zero = json.contains("rescale_betas_zero_snr");
        return rejected.contains("at most 50 with this model") || rejected.contains("reach timestep 1000")
                || rejected.contains("this sampler with leading spacing takes at most 999")
                || zero && rejected.startsWith("PNDM ") && rejected.contains("zero terminal SNR");
    }

    private static void check(String which, SamplingPlan plan) throws Failure {
        List<SamplingPlan.Step> steps = plan.steps();
        for (int i = 0; i < steps.size(); i++) {
            SamplingPlan.Step step = steps.get(i);
            assertTrue(Double.isFinite(step.timestep()) && Double.isFinite(step.from().alphaT())
                    && Double.isFinite(step.from().sigmaT()), which + " step " + i);
            assertTrue(step.timestep() >= 0 && step.timestep() < 1000, which + " step " + i + " at " + step.timestep());
            if (i + 1 < steps.size())
                assertTrue(step.from().sigma() > steps.get(i + 1).from().sigma(),
                        which + " step " + i + " at " + step.timestep());
        }
        assertTrue(Double.isFinite(plan.initNoiseSigma()), which);
        TorchRandom random = new TorchRandom(3);
        Denoiser denoiser = (x, timestep) -> {
            assertTrue(isFinite(x), which + ": model input has NaN or infinity at " + timestep);
            return x.scaled(Math.tanh(timestep / 300));
        };
        Tensor end = plan.run(SamplingRun.of(denoiser, plan.initialLatents(random.randn(SHAPE)), random::randn))
                .orElseThrow();
        assertTrue(isFinite(end), which);
    }

    private static boolean isFinite(Tensor tensor) {
        for (float value : tensor.data()) if (!Float.isFinite(value)) return false;
        return true;
    }

    @Test
    void fewStepsUseTrailingSpacingIfTheConfigHasNone() throws Exception {
        SchedulerConfig published = SchedulerConfig.parse("test",
                "{\"_class_name\": \"PNDMScheduler\", \"beta_start\": 0.00085, \"beta_end\": 0.012, "
                        + "\"beta_schedule\": \"scaled_linear\", \"set_alpha_to_one\": false}");
        SchedulerConfig leading = published.withSpacing(TimestepSpacing.LEADING);
        for (SamplerName name : SamplerName.values()) {
            for (int steps : new int[] {1, 2, 3, 4}) {
                SamplingSettings sampling = SamplingSettings.of(name, ScheduleName.AUTOMATIC, steps);
                assertEquals(999, sampling.plan(published).steps().getFirst().timestep(),
                        name + " " + steps);
                assertEquals(List.of(), sampling.warnings(leading), name + " as written");
            }
        }
        assertEquals(1,
                SamplingSettings.of(SamplerName.EULER, ScheduleName.AUTOMATIC, 1)
                        .plan(leading)

                        .steps()
                        .getFirst()
                        .timestep(),
                "as written");
        String warning = SamplingSettings.of(SamplerName.EULER, ScheduleName.AUTOMATIC, 1)
                .warnings(published)
                .getFirst();
        assertTrue(warning.contains("trailing, from 999 on") && warning.contains("starts at 0"), warning);
        assertEquals(List.of(), SamplingSettings.of(SamplerName.EULER, ScheduleName.AUTOMATIC, 5).warnings(published));
        assertEquals(List.of(), SamplingSettings.of(SamplerName.LCM, ScheduleName.AUTOMATIC, 4).warnings(published),
                "LCM has its own timesteps");
    }

    @Test
    void warnsOfFewerStepsThanChosen() throws Exception {
        SchedulerConfig config = SchedulerConfig.parse("test", "{}");
        for (SamplerName name : List.of(SamplerName.DPM_PLUS_PLUS_2M, SamplerName.UNIPC, SamplerName.DEIS)) {
            SamplingSettings all = SamplingSettings.of(name, ScheduleName.AUTOMATIC, 1000);
            assertEquals(999, all.plan(config).steps().size(), name.toString());
            assertTrue(all.warnings(config).getFirst().contains("in 999 steps, not 1000"),
                    all.warnings(config).toString());
        }
        assertEquals(List.of(), SamplingSettings.of(SamplerName.EULER, ScheduleName.AUTOMATIC, 20).warnings(config));
    }

    @Test
    void rejectsPndmWithZeroTerminalSnr() throws Exception {
        SchedulerConfig zero = SchedulerConfig.parse("test",
                "{\"_class_name\": \"PNDMScheduler\", \"prediction_type\": \"v_prediction\", "
                        + "\"rescale_betas_zero_snr\": true, \"timestep_spacing\": \"trailing\"}");
        String message = assertThrows(Failure.Incompatible.class,
                () -> SamplingSettings.of(SamplerName.PNDM, ScheduleName.AUTOMATIC, 20).plan(zero)).getMessage();
        assertTrue(message.contains("zero terminal SNR") && message.contains("choose ddim"), message);
        assertFalse(SamplerName.ofSupported(zero).isPresent(), "nor is it the default sampler of such a model");
    }

    @Test
    void rejectsBetasWithoutDecreasingNoise() throws Exception {
        for (String betas : List.of("[0, 0, 0.1, 0.2]", "[0.1, 0, 0, 0.2]", "[0.1, -0.5, 0.1, 0.2]", "[1, 1, 1, 1]")) {
            SchedulerConfig config = SchedulerConfig.parse("test",
                    "{\"num_train_timesteps\": 4, \"timestep_spacing\": \"trailing\", \"trained_betas\": " + betas
                            + "}");
            for (SamplerName name : List.of(SamplerName.EULER, SamplerName.DDIM, SamplerName.DPM_PLUS_PLUS_2M,
                    SamplerName.UNIPC, SamplerName.DDPM)) {
                Failure rejected = assertThrows(Failure.Incompatible.class,
                        () -> SamplingSettings.of(name, ScheduleName.AUTOMATIC, 4).plan(config), name + " " + betas);
                assertTrue(
                        rejected.getMessage().contains("betas") || rejected.getMessage().contains("zero terminal SNR"),
                        rejected.getMessage());
            }
        }
    }
}
