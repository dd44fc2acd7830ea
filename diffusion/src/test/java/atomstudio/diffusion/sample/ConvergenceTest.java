package atomstudio.diffusion.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.Deis.FinalOrder;
import atomstudio.diffusion.sample.DpmPlusPlus2M.SolverType;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleFunction;
import org.junit.jupiter.api.Test;

/// Samplers on data whose score is known, down to a last σ above zero. Twice the steps divide the error by 2^order;
/// the first three steps are put on the flow itself, so that what a multistep method begins with does not hide its
/// order:
///
/// | sampler | order | why |
/// |---|---|---|
/// | Euler, Euler a, DDIM, DPM++ of order 1, TCD (eta 0), DEIS 1 | 1 | |
/// | Heun, DPM2, DPM2 a, DPM++ 2S a, DPM++ SDE (eta 0) | 2 | two answers a step |
/// | DPM++ 2M, midpoint and Heun form; DEIS 2 | 2 | two answers |
/// | DPM++ 3M SDE (eta 0) | 2 | k-diffusion weighs the second derivative with half of what third order needs: the error is smaller than 2M's, its order is not higher |
/// | PNDM | 2 | four answers, but weighed as if σ were linear in time (its paper shows no more either) |
/// | DEIS 3 | 3 | three answers |
/// | LMS | 4 | four answers |
/// | UniPC 1, 2, 3 | 2, 3, 4 | one above the predictor's, by the corrector |
///
/// LCM goes to the clean latents in every step: more steps do not bring it nearer to the flow.
class ConvergenceTest {
    private static final double MOST = 5;
    private static final double LEAST = 0.1;
    private static final Shape SHAPE = Shape.of(1, 1, 4, 4);
    private static final int STEPS = 40;
    private static final int BEGUN = 3;
    private static final double BETWEEN = 0.4;

    private static final Schedule.SigmaToTimestep CONTINUOUS = ratio -> ratio;
    private static final NoiseSchedule TRAINED = trained();
    private static final Thresholding FREE = new Thresholding.None();

    private static Map<Sampler, Integer> orders() {
        Map<Sampler, Integer> orders = new LinkedHashMap<>();
        for (Sampler first : List.of(new Euler(), new EulerAncestral(0), new Ddim(FREE, 0),
                multistep(1, SolverType.MIDPOINT), new Deis(1, FinalOrder.FULL, FREE)))
            orders.put(first, 1);
        for (Sampler second : List.of(new Heun(FREE), new Dpm2(), new Dpm2Ancestral(0), new DpmPlusPlus2SAncestral(0),
                new DpmPlusPlusSde(0)))
            orders.put(second, 2);
        for (Sampler second : List.of(multistep(2, SolverType.MIDPOINT), multistep(2, SolverType.HEUN),
                new Deis(2, FinalOrder.FULL, FREE), new DpmPlusPlus3MSde(0)))
            orders.put(second, 2);
        orders.put(new Deis(3, FinalOrder.FULL, FREE), 3);
        orders.put(new Lms(), 4);
        for (UniPc.SolverType form : UniPc.SolverType.values()) {
            for (int order = 1; order <= 3; order++)
                orders.put(new UniPc(order, form, FinalOrder.FULL, FREE), order + 1);
        }
        return orders;
    }

    private static DpmPlusPlus2M multistep(int order, SolverType form) {
        return new DpmPlusPlus2M(order, form, DpmPlusPlus2M.FinalOrder.SECOND, 0, FREE);
    }

    private static Schedule.Parameterization space(Sampler sampler) {
        return switch (sampler) {
            case Euler e -> Schedule.Parameterization.VARIANCE_EXPLODING;
            case EulerAncestral e -> Schedule.Parameterization.VARIANCE_EXPLODING;
            case Heun h -> Schedule.Parameterization.VARIANCE_EXPLODING;
            case Lms l -> Schedule.Parameterization.VARIANCE_EXPLODING;
            case Dpm2 d -> Schedule.Parameterization.VARIANCE_EXPLODING;
            case Dpm2Ancestral d -> Schedule.Parameterization.VARIANCE_EXPLODING;
            case DpmPlusPlusSde d -> Schedule.Parameterization.VARIANCE_EXPLODING;
            case DpmPlusPlus2SAncestral d -> Schedule.Parameterization.VARIANCE_EXPLODING;
            case DpmPlusPlus3MSde d -> Schedule.Parameterization.VARIANCE_EXPLODING;
            case Ddim d -> Schedule.Parameterization.VARIANCE_PRESERVING;
            case Ddpm d -> Schedule.Parameterization.VARIANCE_PRESERVING;
            case Pndm p -> Schedule.Parameterization.VARIANCE_PRESERVING;
            case DpmPlusPlus2M d -> Schedule.Parameterization.VARIANCE_PRESERVING;
            case UniPc u -> Schedule.Parameterization.VARIANCE_PRESERVING;
            case Deis d -> Schedule.Parameterization.VARIANCE_PRESERVING;
            case Lcm l -> Schedule.Parameterization.VARIANCE_PRESERVING;
            case Tcd t -> Schedule.Parameterization.VARIANCE_PRESERVING;
        };
    }

    @Test
    void deterministicSamplersConvergeAtTheirOrder() throws Exception {
        for (Map.Entry<Sampler, Integer> entry : orders().entrySet()) {
            Sampler sampler = entry.getKey();
            assertOrder(entry.getValue(), sampler, error(sampler, inRatios(space(sampler), STEPS)),
                    error(sampler, inRatios(space(sampler), 2 * STEPS)));
        }
    }

    @Test
    void samplersOfTrainedTimestepsConvergeAtTheirOrder() throws Exception {
        assertOrder(1, new Tcd(TRAINED, 0), error(new Tcd(TRAINED, 0), inTimesteps(64, 0)),
                error(new Tcd(TRAINED, 0), inTimesteps(32, 0)));
        int least = TRAINED.size() / 8 - 1;
        assertOrder(2, new Pndm(TRAINED, 64), error(new Pndm(TRAINED, 64), inTimesteps(64, least)),
                error(new Pndm(TRAINED, 32), inTimesteps(32, least)));
    }

    private static void assertOrder(int expected, Sampler sampler, double error, double half) {
        double order = Math.log(error / half) / Math.log(2);
        if (Boolean.getBoolean("show")) System.out.printf("%s %d %.2f %.2g%n", sampler, expected, order, error);
        assertEquals(expected, order, BETWEEN, sampler + ": error " + error + ", with twice the steps " + half);
    }

    /// The largest distance from the flow, over starts from far left to far right.
    private static double error(Sampler sampler, Schedule schedule) throws Failure {
        double first = schedule.steps().getFirst().from().sigma();
        NoiseLevel last = schedule.steps().getLast().to();
        Tensor starts = Tensor.zeros(SHAPE);
        for (int i = 0; i < starts.data().length; i++)
            starts.data()[i] = (float) (first * (2.0 * i / (starts.data().length - 1) - 1));
        Denoiser network = Mixture.network(levels(schedule));
        SamplingRun.InitialLatents start = SamplingRun.InitialLatents.noisedImage(Tensor.zeros(SHAPE),
                LatentMath.scale(1 / first, starts));
        Tensor end = end(new SamplingPlan(sampler, schedule),
                new SamplingRun(network, start, NoiseSource.ofSeeds(1), StepListener.none(), begun(schedule, starts)));
        double worst = 0;
        for (int i = 0; i < end.data().length; i++) {
            double x = schedule.parameterization() == Schedule.Parameterization.VARIANCE_EXPLODING ? end.data()[i]
                    : end.data()[i] / last.alphaT();
            worst = Math.max(worst, Math.abs(x - Mixture.flow(starts.data()[i], first, last.sigma())));
        }
        return worst;
    }

    private static Tensor end(SamplingPlan plan, SamplingRun walk) throws Failure {
        return assertInstanceOf(SamplingResult.Finished.class, plan.run(walk)).latents();
    }

    /// What the stand-in for the network takes a timestep for.
    private static DoubleFunction<NoiseLevel> levels(Schedule schedule) {
        return schedule.sigmaToTimestep() == CONTINUOUS ? NoiseLevel::ofSigma : time -> TRAINED.level((int) time);
    }

    private static SamplingRun.LatentCallback begun(Schedule schedule, Tensor starts) {
        List<Schedule.Step> first = schedule.steps().subList(0, BEGUN);
        return (step, x) -> {
            if (!first.contains(step)) return x;
            Tensor exact = Tensor.zeros(SHAPE);
            for (int i = 0; i < exact.data().length; i++)
                exact.data()[i] = (float) Mixture.flow(starts.data()[i], first.getFirst().from().sigma(),
                        step.to().sigma());
            return schedule.parameterization() == Schedule.Parameterization.VARIANCE_EXPLODING ? exact
                    : LatentMath.scale(step.to().alphaT(), exact);
        };
    }

    /// Even in log σ, which is the time.
    private static Schedule inRatios(Schedule.Parameterization space, int count) {
        List<Schedule.Step> steps = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            double from = MOST * Math.pow(LEAST / MOST, (double) i / count);
            steps.add(new Schedule.Step(from, NoiseLevel.ofSigma(from),
                    NoiseLevel.ofSigma(MOST * Math.pow(LEAST / MOST, (i + 1.0) / count))));
        }
        return new Schedule(steps, PredictionType.EPSILON, space, 1, CONTINUOUS);
    }

    /// Even in trained timesteps, from the same first to the same last for all strides that divide them.
    private static Schedule inTimesteps(int stride, int least) {
        List<Schedule.Step> steps = new ArrayList<>();
        for (int t = TRAINED.size() - 1; t > least; t -= stride)
            steps.add(new Schedule.Step(t, TRAINED.level(t), TRAINED.level(Math.max(t - stride, least))));
        return new Schedule(steps, PredictionType.EPSILON, Schedule.Parameterization.VARIANCE_PRESERVING, 1,
                ratio -> ratio);
    }

    /// Smooth, with many more timesteps than steps.
    private static NoiseSchedule trained() {
        float[] bars = new float[2048];
        for (int t = 0; t < bars.length; t++)
            bars[t] = (float) (1 / (1 + Math.pow(LEAST * Math.pow(MOST / LEAST, (t + 1.0) / bars.length), 2)));
        return new NoiseSchedule(bars);
    }

    /// More steps than a picture takes, since the stochastic equation is followed only weakly: in mean and variance,
    /// within four standard errors and a hundredth.
    @Test
    void stochasticSamplersReachTheRightMeanAndVariance() throws Exception {
        for (Sampler sampler : List.of(new EulerAncestral(1), new EulerAncestral(0.5), new Dpm2Ancestral(1),
                new DpmPlusPlus2SAncestral(1), new DpmPlusPlusSde(1), new DpmPlusPlusSde(0.5),
                new DpmPlusPlus2M(2, SolverType.MIDPOINT, DpmPlusPlus2M.FinalOrder.SECOND, 1, FREE),
                new DpmPlusPlus2M(2, SolverType.HEUN, DpmPlusPlus2M.FinalOrder.SECOND, 0.5, FREE),
                new DpmPlusPlus3MSde(1), new DpmPlusPlus3MSde(0.5), new Ddim(FREE, 1), new Ddim(FREE, 0.5),
                new Ddpm(FREE, Ddpm.VarianceType.FIXED_SMALL))) {
            assertMoments(sampler, inRatios(space(sampler), 200));
        }
        assertMoments(new Tcd(TRAINED, 0.3), inTimesteps(16, 0));
    }

    private static void assertMoments(Sampler sampler, Schedule schedule) throws Failure {
        Shape many = Shape.of(1, 4, 64, 64);
        NoiseSource random = NoiseSource.ofSeeds(2);
        SamplingRun.InitialLatents start = SamplingRun.InitialLatents.noisedImage(Mixture.drawn(many, new Random(3)),
                random.draw(many));
        Tensor end = end(new SamplingPlan(sampler, schedule), new SamplingRun(Mixture.network(levels(schedule)), start,
                random, StepListener.none(), SamplingRun.LatentCallback.none()));
        NoiseLevel last = schedule.steps().getLast().to();
        double scale = schedule.parameterization() == Schedule.Parameterization.VARIANCE_EXPLODING ? 1 : last.alphaT();
        double mean = 0;
        for (float x : end.data()) mean += x / scale / end.data().length;
        double variance = Math.pow(LatentMath.standardDeviation(end) / scale, 2);
        double expected = Mixture.variance() + last.sigma() * last.sigma();
        double count = end.data().length;
        assertEquals(Mixture.mean(), mean, 4 * Math.sqrt(expected / count) + 0.01, sampler + ": mean");
        assertEquals(expected, variance, 4 * expected * Math.sqrt(2 / count) + 0.01, sampler + ": variance");
    }
}
