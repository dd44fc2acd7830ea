package atomstudio.diffusion.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.TensorAssert;
import atomstudio.diffusion.sample.StepListener.Next;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WalkTest {
    private static final Shape SHAPE = Shape.of(1, 4, 8, 8);
    private static final Tensor NOISE = new TorchRandom(3).randn(SHAPE);
    private static final Tensor CLEAN = new TorchRandom(4).randn(SHAPE);

    private static Plan plan(SamplerName name, int steps) throws Failure {
        return Sampling.of(name, ScheduleName.MODEL, steps).planAsWritten(SchedulerConfig.parse("test", "{\"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", \"clip_sample\": false, \"skip_prk_steps\": true}"));
    }

    private static Walk walk(Denoiser denoiser, Start start) {
        return new Walk(denoiser, start, NoiseSource.ofSeeds(5), StepListener.none(), Between.nothing());
    }

    @Test void aPictureStartsUnderTheNoiseOfTheFirstStepThatIsLeft() throws Exception {
        for (SamplerName name : SamplerName.values()) {
            Plan left = plan(name, 10).last(4);
            assertEquals(plan(name, 10).schedule().steps().subList(6, 10), left.schedule().steps());
            Level first = left.schedule().steps().getFirst().from();
            List<Tensor> shown = new ArrayList<>();
            left.run(walk((x, timestep) -> {
                shown.add(x);
                return x;
            }, Start.of(CLEAN, NOISE)).heardBy(progress -> Next.STOP));
            TensorAssert.assertWithin(name.toString(), Latents.sum(first.alpha(), CLEAN, first.sigma(), NOISE), shown.getFirst(), 1e-6);
        }
    }

    @Test void refusesMoreStepsThanThePlanHas() throws Exception {
        Plan plan = plan(SamplerName.EULER, 3);
        assertSame(plan.schedule(), plan.last(3).schedule());
        assertThrows(IllegalArgumentException.class, () -> plan.last(4));
        assertThrows(IllegalArgumentException.class, () -> plan.last(0));
    }

    @Test void whatIsPutBackBetweenStepsStaysAndIsHeard() throws Exception {
        for (SamplerName name : SamplerName.values()) {
            Plan plan = plan(name, 6);
            List<Step> edited = new ArrayList<>();
            Between putBack = (step, x) -> {
                edited.add(step);
                return plan.schedule().space().noised(CLEAN, NOISE, step.to());
            };
            Walk walk = walk((x, timestep) -> x, Start.noise(NOISE)).edited(putBack).heardBy(progress -> {
                assertEquals(plan.schedule().space().noised(CLEAN, NOISE, edited.getLast().to()), progress.latents());
                assertEquals(edited.size(), progress.done());
                return Next.CONTINUE;
            });
            Tensor end = assertInstanceOf(Sampled.Finished.class, plan.run(walk)).latents();
            assertEquals(plan.schedule().steps(), edited);
            assertEquals(plan.schedule().space().noised(CLEAN, NOISE, edited.getLast().to()), end);
        }
    }

    @Test void thePreviewIsWhatTheNetworkSawInTheLatents() throws Exception {
        for (SamplerName name : SamplerName.values()) {
            Plan plan = plan(name, 3);
            Level first = plan.schedule().steps().getFirst().from();
            Denoiser knowing = (x, timestep) -> Latents.sum(1 / first.sigma(), x, -first.alpha() / first.sigma(), CLEAN);
            plan.run(walk(knowing, Start.noise(NOISE)).heardBy(progress -> {
                TensorAssert.assertWithin(name.toString(), CLEAN, progress.clean(), 1e-4);
                return Next.STOP;
            }));
        }
    }
}
