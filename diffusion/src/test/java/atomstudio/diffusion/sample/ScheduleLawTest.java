package atomstudio.diffusion.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What holds for every sampler, schedule and number of steps: noise levels are finite and fall, and finite latents
/// come out; or a failure says why not.
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
                        "{\"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", \"set_alpha_to_one\": false"
                                + spacing + more + "}");
            }
        }
        configs.add("{\"beta_schedule\": \"squaredcos_cap_v2\"}");
        return configs;
    }

    @ParameterizedTest @MethodSource("configs")
    void noiseFallsAndLatentsStayFinite(String json) throws Exception {
        SchedulerConfig config = SchedulerConfig.parse("test", json);
        List<String> refused = new ArrayList<>();
        for (SamplerName name : SamplerName.values()) {
            for (ScheduleName schedule : name.schedules()) {
                for (int steps : STEPS) {
                    SamplingSettings sampling = SamplingSettings.of(name, schedule, steps);
                    String which = json + " " + name + " " + schedule + " " + steps;
                    try {
                        check(which, sampling.plan(config));
                    } catch (Failure.Incompatible e) {
                        refused.add(name + " " + schedule + " " + steps + ": " + e.getMessage());
                    }
                }
            }
        }
        for (String one : refused) assertTrue(mayBeRefused(one, json), one);
    }

    /// Three reasons only: more steps than a distilled model has timesteps, all 1000 with an offset of one, and PNDM
    /// from zero SNR.
    private static boolean mayBeRefused(String refused, String json) {
        boolean zero = json.contains("rescale_betas_zero_snr");
        return refused.contains("at most 50 with this model") || refused.contains("reach timestep 1000")
                || refused.contains("this sampler with leading spacing takes at most 999")
                || zero && refused.startsWith("PNDM ") && refused.contains("zero terminal SNR");
    }

    private static void check(String which, SamplingPlan plan) throws Failure {
        List<Schedule.Step> steps = plan.schedule().steps();
        for (int i = 0; i < steps.size(); i++) {
            Schedule.Step step = steps.get(i);
            assertTrue(Double.isFinite(step.timestep()) && Double.isFinite(step.from().alphaT())
                    && Double.isFinite(step.from().sigmaT()), which + " step " + i);
            assertTrue(step.timestep() >= 0 && step.timestep() < 1000, which + " step " + i + " at " + step.timestep());
            if (i + 1 < steps.size())
                assertTrue(step.from().sigma() > steps.get(i + 1).from().sigma(),
                        which + " step " + i + " at " + step.timestep());
        }
        assertTrue(Double.isFinite(plan.schedule().initNoiseSigma()), which);
        TorchRandom random = new TorchRandom(3);
        Denoiser network = (x, timestep) -> {
            assertTrue(finite(x), which + ": the network is given no numbers at " + timestep);
            return LatentMath.scale(Math.tanh(timestep / 300), x);
        };
        SamplingResult end = plan.run(SamplingRun.fromNoise(network, random.randn(SHAPE), random::randn));
        assertTrue(finite(((SamplingResult.Finished) end).latents()), which);
    }

    private static boolean finite(Tensor tensor) {
        for (float number : tensor.data()) if (!Float.isFinite(number)) return false;
        return true;
    }

    @Test
    void fewStepsBeginWhereTheNoiseIsIfTheConfigNamesNoSpacing() throws Exception {
        SchedulerConfig published = SchedulerConfig.parse("test",
                "{\"_class_name\": \"PNDMScheduler\", \"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", \"set_alpha_to_one\": false}");
        SchedulerConfig leading = published.withSpacing(TimestepSpacing.LEADING);
        for (SamplerName name : SamplerName.values()) {
            for (int steps : new int[] {1, 2, 3, 4}) {
                SamplingSettings sampling = SamplingSettings.of(name, ScheduleName.MODEL, steps);
                assertEquals(999, sampling.plan(published).schedule().steps().getFirst().timestep(),
                        name + " " + steps);
                assertEquals(List.of(), sampling.warnings(leading), name + " as written");
            }
        }
        assertEquals(1,
                SamplingSettings.of(SamplerName.EULER, ScheduleName.MODEL, 1)
                        .plan(leading)
                        .schedule()
                        .steps()
                        .getFirst()
                        .timestep(),
                "as written");
        String note = SamplingSettings.of(SamplerName.EULER, ScheduleName.MODEL, 1).warnings(published).getFirst();
        assertTrue(note.contains("trailing, from 999 on") && note.contains("starts at 0"), note);
        assertEquals(List.of(), SamplingSettings.of(SamplerName.EULER, ScheduleName.MODEL, 5).warnings(published));
        assertEquals(List.of(), SamplingSettings.of(SamplerName.LCM, ScheduleName.MODEL, 4).warnings(published),
                "it has timesteps of its own");
    }

    @Test
    void fewerStepsThanChosenAreSaid() throws Exception {
        SchedulerConfig config = SchedulerConfig.parse("test", "{}");
        for (SamplerName name : List.of(SamplerName.DPM_PLUS_PLUS_2M, SamplerName.UNIPC, SamplerName.DEIS)) {
            SamplingSettings all = SamplingSettings.of(name, ScheduleName.MODEL, 1000);
            assertEquals(999, all.plan(config).schedule().size(), name.toString());
            assertTrue(all.warnings(config).getFirst().contains("in 999 steps, not 1000"),
                    all.warnings(config).toString());
        }
        assertEquals(List.of(), SamplingSettings.of(SamplerName.EULER, ScheduleName.MODEL, 20).warnings(config));
    }

    @Test
    void pndmIsRefusedWhereItWouldDivideByZero() throws Exception {
        SchedulerConfig zero = SchedulerConfig.parse("test",
                "{\"_class_name\": \"PNDMScheduler\", \"prediction_type\": \"v_prediction\", \"rescale_betas_zero_snr\": true, \"timestep_spacing\": \"trailing\"}");
        String message = assertThrows(Failure.Incompatible.class,
                () -> SamplingSettings.of(SamplerName.PNDM, ScheduleName.MODEL, 20).plan(zero)).getMessage();
        assertTrue(message.contains("zero terminal SNR") && message.contains("choose ddim"), message);
        assertFalse(SamplerName.ofSupported(zero).isPresent(), "so it is no model's own sampler either");
    }

    @Test
    void betasThatGiveNoFallingNoiseAreRefusedByName() throws Exception {
        for (String betas : List.of("[0, 0, 0.1, 0.2]", "[0.1, 0, 0, 0.2]", "[0.1, -0.5, 0.1, 0.2]", "[1, 1, 1, 1]")) {
            SchedulerConfig config = SchedulerConfig.parse("test",
                    "{\"num_train_timesteps\": 4, \"timestep_spacing\": \"trailing\", \"trained_betas\": " + betas
                            + "}");
            for (SamplerName name : List.of(SamplerName.EULER, SamplerName.DDIM, SamplerName.DPM_PLUS_PLUS_2M,
                    SamplerName.UNIPC, SamplerName.DDPM)) {
                Failure refused = assertThrows(Failure.Incompatible.class,
                        () -> SamplingSettings.of(name, ScheduleName.MODEL, 4).plan(config), name + " " + betas);
                assertTrue(refused.getMessage().contains("betas") || refused.getMessage().contains("zero terminal SNR"),
                        refused.getMessage());
            }
        }
    }
}
