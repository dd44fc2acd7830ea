package atomstudio.diffusion.sample;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.TensorAssert;
import atomstudio.diffusion.sample.SamplingRun.Denoiser;
import atomstudio.diffusion.sample.StepListener.Next;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final Shape SHAPE = Shape.of(2, 4, 3, 5);

    private static SchedulerConfig config(String more) throws Failure {
        return SchedulerConfig.parse("test",
                "{\"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", "
                        + "\"clip_sample\": false, \"skip_prk_steps\": true, \"set_alpha_to_one\": true"
                        + more + "}");
    }

    /// The exact prediction for known clean latents.
    private static Denoiser exactDenoiser(Tensor clean, SamplingPlan plan) {
        Map<Double, NoiseLevel> levels = new HashMap<>();
        for (SamplingPlan.Step step : plan.steps()) levels.put(step.timestep(), step.from());
        return (x, timestep) -> {
            NoiseLevel level = levels.getOrDefault(timestep,
                    NoiseLevel
                            .ofSigma(((NoiseSchedule.TrainedSigmas) plan.sigmaToTimestep()).logInterpolated(timestep)));
            Tensor noise = Tensor.weightedSum(1 / level.sigmaT(), x, -level.alphaT() / level.sigmaT(), clean);
            return switch (plan.predictionType()) {
                case EPSILON -> noise;
                case V -> Tensor.weightedSum(level.alphaT(), noise, -level.sigmaT(), clean);
                case SAMPLE -> clean;
            };
        };
    }

    @Test
    void exactDenoiserLeadsToCleanLatents() throws Exception {
        Tensor clean = new TorchRandom(1).randn(SHAPE);
        for (SamplerName name : SamplerName.values()) {
            for (String prediction : List.of("epsilon", "v_prediction", "sample")) {
                for (String spacing : List.of("leading", "linspace", "trailing")) {
                    // PNDM combines outputs with weights for equal strides, which only leading spacing has; exact
                    // outputs are constant only for epsilon.
                    if (name == SamplerName.PNDM && !(spacing.equals("leading") && prediction.equals("epsilon")))
                        continue;
                    for (int steps : new int[] {1, 2, 9, 20}) {
                        SamplingPlan plan = SamplingSettings.of(name, ScheduleName.AUTOMATIC, steps)
                                .planUnmodified(config(", \"prediction_type\": \"" + prediction
                                        + "\", \"timestep_spacing\": \"" + spacing + "\""));
                        NoiseSource random = NoiseSource.ofSeeds(5, 6);
                        Tensor end = plan.run(SamplingRun.of(exactDenoiser(clean, plan),
                                plan.initialLatents(random.draw(SHAPE)), random)).orElseThrow();
                        TensorAssert.assertWithin(name + " " + prediction + " " + spacing + " " + steps, clean,
                                end,
                                1e-4 + 6 * plan.steps().getLast().to().sigmaT());
                    }
                }
            }
        }
    }

    @Test
    void stopsAfterTheStepAtWhichTheListenerStops() throws Exception {
        for (SamplerName name : SamplerName.values()) {
            List<Integer> completedSteps = new ArrayList<>();
            List<Double> calls = new ArrayList<>();
            AtomicInteger callsAtStop = new AtomicInteger();
            SamplingPlan plan = SamplingSettings.of(name, ScheduleName.AUTOMATIC, 10).planUnmodified(config(""));
            Denoiser denoiser = (x, timestep) -> {
                calls.add(timestep);
                return x;
            };
            Optional<Tensor> end = plan
                    .run(SamplingRun
                            .of(denoiser, plan.initialLatents(new TorchRandom(0).randn(SHAPE)),
                                    NoiseSource.ofSeeds(0, 1))
                            .withListener(progress -> {
                                completedSteps.add(progress.completedSteps());
                                callsAtStop.set(calls.size());
                                return progress.completedSteps() == 3 ? Next.STOP : Next.CONTINUE;
                            }));
            assertEquals(Optional.empty(), end, name.toString());
            assertEquals(List.of(1, 2, 3), completedSteps);
            assertEquals(callsAtStop.get(), calls.size(), name.toString());
        }
    }

    @Test
    void runsAreRepeatable() throws Exception {
        for (SamplerName name : SamplerName.values()) {
            SamplingPlan plan = SamplingSettings.of(name, ScheduleName.AUTOMATIC, 7).planUnmodified(config(""));
            Denoiser denoiser = (x, timestep) -> x.scaled(Math.tanh(timestep / 300));
            Tensor noise = new TorchRandom(4).randn(SHAPE);
            Optional<Tensor> first = plan
                    .run(SamplingRun.of(denoiser, plan.initialLatents(noise), NoiseSource.ofSeeds(0, 1)));
            assertEquals(first,
                    plan.run(SamplingRun.of(denoiser, plan.initialLatents(noise), NoiseSource.ofSeeds(0, 1))));
            assertEquals(new TorchRandom(4).randn(SHAPE), noise, "the caller's noise is unchanged");
        }
    }

    @Test
    void propagatesFailuresOfTheDenoiser() throws Exception {
        for (SamplerName name : SamplerName.values()) {
            Failure failure = new Failure.Diverged("step 1: not a number");
            SamplingPlan plan = SamplingSettings.of(name, ScheduleName.AUTOMATIC, 2).planUnmodified(config(""));
            SamplingRun run = SamplingRun.of((x, timestep) -> {
                throw failure;
            }, new TorchRandom(4).randn(SHAPE), NoiseSource.ofSeeds(0, 1));
            assertSame(failure, assertThrows(Failure.Diverged.class, () -> plan.run(run)));
        }
    }

    @Test
    void modelInputHasUnitVariance() throws Exception {
        Shape large = Shape.of(1, 4, 32, 32);
        for (SamplerName name : SamplerName.values()) {
            SamplingPlan plan = SamplingSettings.of(name, ScheduleName.AUTOMATIC, 5).planUnmodified(config(""));
            plan.run(SamplingRun.of((x, timestep) -> {
                double sum = 0;
                for (float value : x.data()) sum += value * value;
                assertEquals(1, sum / x.data().length, 0.1, name + " at " + timestep);
                return x;
            }, plan.initialLatents(new TorchRandom(4).randn(large)), NoiseSource.ofSeeds(0))
                    .withListener(progress -> Next.STOP));
        }
    }

    @Test
    void guidanceExtrapolatesFromTheNegativePrompt() {
        Tensor unconditional = Tensor.filled(SHAPE, 1);
        Tensor conditional = Tensor.filled(SHAPE, 3);
        Tensor guided = Guidance.of(4).combine(unconditional, conditional);
        assertArrayEquals(Tensor.filled(SHAPE, 9).data(), guided.data());
    }

    @Test
    void guidanceIsActiveAboveOne() {
        assertTrue(Guidance.of(1.01).isActive());
        assertFalse(Guidance.of(1).isActive());
    }

    @Test
    void ancestralNoiseDoesNotDependOnTheBatch() throws Exception {
        SamplingPlan plan = SamplingSettings.of(SamplerName.EULER_ANCESTRAL, ScheduleName.AUTOMATIC, 6)
                .planUnmodified(config(""));
        Denoiser denoiser = (x, timestep) -> x.scaled(Math.tanh(timestep / 300));
        NoiseSource batch = NoiseSource.ofSeeds(20, 21);
        NoiseSource alone = NoiseSource.ofSeeds(21);
        Tensor both = plan.run(SamplingRun.of(denoiser, plan.initialLatents(batch.draw(SHAPE)), batch)).orElseThrow();
        Tensor one = plan.run(SamplingRun.of(denoiser, plan.initialLatents(alone.draw(SHAPE.with(0, 1))), alone))
                .orElseThrow();
        assertEquals(one,
                both.rows(1, 2));
    }

    /// The number of draws decides which image a seed gives.
    @Test
    void drawsNoiseAsOftenAsDocumented() throws Exception {
        int steps = 6;
        for (SamplerName name : SamplerName.values()) {
            int expected = switch (name) {
                case EULER, HEUN, LMS, DDIM, PNDM, DPM_PLUS_PLUS_2M, DPM2, UNIPC, DEIS -> 0;
                case EULER_ANCESTRAL, DPM_PLUS_PLUS_2M_SDE -> steps;
                case DDPM, DPM2_ANCESTRAL, DPM_PLUS_PLUS_2S_ANCESTRAL, DPM_PLUS_PLUS_3M_SDE, LCM, TCD -> steps - 1;
                case DPM_PLUS_PLUS_SDE -> 2 * (steps - 1);
            };
            assertEquals(expected, draws(SamplingSettings.of(name, ScheduleName.AUTOMATIC, steps)), name.toString());
            if (name.defaultEta().isPresent()) {
                int chosen = name == SamplerName.DDIM ? steps : expected;
                assertEquals(chosen, draws(SamplingSettings.of(name, ScheduleName.AUTOMATIC, steps).withEta(0.5)),
                        name + " with eta");
            }
        }
    }

    private static int draws(SamplingSettings sampling) throws Failure {
        AtomicInteger draws = new AtomicInteger();
        TorchRandom random = new TorchRandom(8);
        Tensor noise = random.randn(SHAPE);
        sampling.planUnmodified(config("")).run(SamplingRun.of((x, timestep) -> x, noise, shape -> {
            draws.incrementAndGet();
            return random.randn(shape);
        }));
        return draws.get();
    }

    @Test
    void rescalingKeepsConstantOutputs() {
        Tensor flat = Tensor.filled(SHAPE, 3);
        Tensor conditional = new TorchRandom(2).randn(SHAPE);
        assertEquals(flat, new Guidance(1, 1).combine(conditional, flat));
        Tensor single = Tensor.filled(Shape.of(1, 1, 1, 1), 2);
        assertEquals(single, new Guidance(5, 0.5).combine(single, single));
    }

    @Test
    void dynamicThresholdingAppliesMaxValueBelowOne() throws Exception {
        Tensor large = Tensor.filled(SHAPE, 4);
        Tensor small = Tensor.filled(SHAPE, 0.25f);
        // As torch.clamp(s, min=1, max=0.5), which is 0.5.
        assertArrayEquals(Tensor.filled(SHAPE, 1).data(), new Thresholding.Dynamic(0.995, 0.5).apply(large).data());
        assertArrayEquals(Tensor.filled(SHAPE, 0.5f).data(), new Thresholding.Dynamic(0.995, 0.5).apply(small).data());
        assertArrayEquals(Tensor.filled(SHAPE, 0.25f).data(), new Thresholding.Dynamic(0.995, 2).apply(small).data());
        for (String wrong : List.of("\"sample_max_value\": 0", "\"sample_max_value\": -1",
                "\"dynamic_thresholding_ratio\": 1.5", "\"dynamic_thresholding_ratio\": -0.1")) {
            String message = assertThrows(Failure.Incompatible.class,
                    () -> SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 5)
                            .plan(config(", \"thresholding\": true, " + wrong)))
                    .getMessage();
            assertTrue(message.contains(wrong.substring(1, wrong.indexOf('"', 1))), message);
        }
    }

    /// DEIS repeats the last level of a spacing in σ, as in diffusers: its last evaluation has no effect.
    @Test
    void everyNetworkCallAffectsTheResult() throws Exception {
        for (SamplerName name : SamplerName.values()) {
            for (ScheduleName schedule : name.schedules()) {
                if (name == SamplerName.DEIS
                        && List.of(ScheduleName.KARRAS, ScheduleName.EXPONENTIAL, ScheduleName.BETA_SIGMAS)
                                .contains(schedule))
                    continue;
                for (int steps : new int[] {1, 2, 8, 20}) {
                    SamplingPlan plan = SamplingSettings.of(name, schedule, steps).plan(config(""));
                    List<Tensor> ends = new ArrayList<>();
                    int calls = calls(plan, ends, -1);
                    calls(plan, ends, calls - 1);
                    double change = Tensor.weightedSum(1, ends.get(0), -1, ends.get(1)).standardDeviation();
                    assertTrue(change > 1e-4, name + " " + schedule + " " + steps
                            + ": the last network call changes the latents by " + change);
                }
            }
        }
    }

    /// Runs a plan with a different output at one call, and counts the calls.
    private static int calls(SamplingPlan plan, List<Tensor> ends, int changed) throws Failure {
        AtomicInteger calls = new AtomicInteger();
        TorchRandom random = new TorchRandom(3);
        ends.add(plan.run(SamplingRun.of(
                (x, timestep) -> calls.getAndIncrement() == changed ? x.scaled(3) : x.scaled(0.5),
                plan.initialLatents(random.randn(SHAPE)), random::randn)).orElseThrow());
        return calls.get();
    }

    @Test
    void rescaledGuidanceHasTheStandardDeviationOfTheConditionalOutput() {
        Tensor unconditional = new TorchRandom(1).randn(SHAPE);
        Tensor conditional = new TorchRandom(2).randn(SHAPE);
        Tensor guided = new Guidance(7, 0).combine(unconditional, conditional);
        Tensor whole = new Guidance(7, 1).combine(unconditional, conditional);
        Tensor part = new Guidance(7, 0.7).combine(unconditional, conditional);
        for (int row = 0; row < SHAPE.size(0); row++) {
            assertEquals(conditional.rows(row, row + 1).standardDeviation(),
                    whole.rows(row, row + 1).standardDeviation(), 1e-6);
        }
        TensorAssert.assertWithin("weighted mean", Tensor.weightedSum(0.7, whole, 0.3, guided), part, 1e-5);
    }
}
