package atomstudio.diffusion.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.TensorAssert;
import atomstudio.diffusion.sample.SamplingRun.Denoiser;
import atomstudio.diffusion.sample.StepListener.Next;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SamplingRunTest {
    private static final Shape SHAPE = Shape.of(1, 4, 8, 8);
    private static final Tensor NOISE = new TorchRandom(3).randn(SHAPE);
    private static final Tensor CLEAN = new TorchRandom(4).randn(SHAPE);

    private static SamplingPlan plan(SamplerName name, int steps) throws Failure {
        return SamplingSettings.of(name, ScheduleName.AUTOMATIC, steps)
                .planUnmodified(SchedulerConfig.parse("test",
                        "{\"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", "
                                + "\"clip_sample\": false, \"skip_prk_steps\": true}"));
    }

    private static SamplingRun run(Denoiser denoiser, Tensor x) {
        return new SamplingRun(denoiser, x, NoiseSource.ofSeeds(5), StepListener.none(),
                SamplingRun.LatentCallback.none());
    }

    @Test
    void noisesTheImageToTheLevelOfTheFirstRemainingStep() throws Exception {
        for (SamplerName name : SamplerName.values()) {
            SamplingPlan lastSteps = plan(name, 10).lastSteps(4);
            assertEquals(plan(name, 10).steps().subList(6, 10), lastSteps.steps());
            NoiseLevel first = lastSteps.steps().getFirst().from();
            List<Tensor> inputs = new ArrayList<>();
            lastSteps.run(run((x, timestep) -> {
                inputs.add(x);
                return x;
            }, lastSteps.initialLatents(CLEAN, NOISE)).withListener(progress -> Next.STOP));
            TensorAssert.assertWithin(name.toString(),
                    Tensor.weightedSum(first.alphaT(), CLEAN, first.sigmaT(), NOISE), inputs.getFirst(), 1e-6);
        }
    }

    @Test
    void rejectsMoreStepsThanThePlanHas() throws Exception {
        SamplingPlan plan = plan(SamplerName.EULER, 3);
        assertSame(plan, plan.lastSteps(3));
        assertThrows(IllegalArgumentException.class, () -> plan.lastSteps(4));
        assertThrows(IllegalArgumentException.class, () -> plan.lastSteps(0));
    }

    @Test
    void callbackReplacesLatentsBeforeTheListener() throws Exception {
        for (SamplerName name : SamplerName.values()) {
            SamplingPlan plan = plan(name, 6);
            List<SamplingPlan.Step> edited = new ArrayList<>();
            SamplingRun.LatentCallback replaceLatents = (step, x) -> {
                edited.add(step);
                return plan.parameterization().addNoise(CLEAN, NOISE, step.to());
            };
            SamplingRun run = run((x, timestep) -> x, plan.initialLatents(NOISE))
                    .withCallback(replaceLatents)
                    .withListener(progress -> {
                        assertEquals(plan.parameterization().addNoise(CLEAN, NOISE, edited.getLast().to()),
                                progress.latents());
                        assertEquals(edited.size(), progress.completedSteps());
                        return Next.CONTINUE;
                    });
            Tensor end = plan.run(run).orElseThrow();
            assertEquals(plan.steps(), edited);
            assertEquals(plan.parameterization().addNoise(CLEAN, NOISE, edited.getLast().to()), end);
        }
    }

    @Test
    void progressContainsPredictedX0() throws Exception {
        for (SamplerName name : SamplerName.values()) {
            SamplingPlan plan = plan(name, 3);
            NoiseLevel first = plan.steps().getFirst().from();
            Denoiser exact = (x, timestep) -> Tensor.weightedSum(1 / first.sigmaT(), x,
                    -first.alphaT() / first.sigmaT(), CLEAN);
            plan.run(run(exact, plan.initialLatents(NOISE)).withListener(progress -> {
                TensorAssert.assertWithin(name.toString(), CLEAN, progress.denoised(), 1e-4);
                return Next.STOP;
            }));
        }
    }
}
