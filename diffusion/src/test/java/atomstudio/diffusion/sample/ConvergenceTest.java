package atomstudio.diffusion.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.DpmPlusPlus2M.SolverType;
import atomstudio.diffusion.sample.Sampler.FinalOrder;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleFunction;
import org.junit.jupiter.api.Test;

/// Order of convergence on data with a known score, down to a last σ above 0. Doubling the steps divides the error by
/// 2^order. The first three steps are replaced by the exact flow, so that the start of a multistep method does not hide
/// its order:
///
/// | sampler | order | why |
/// |---|---|---|
/// | Euler, Euler a, DDIM, DPM++ of order 1, TCD (eta 0), DEIS 1 | 1 | |
/// | Heun, DPM2, DPM2 a, DPM++ 2S a, DPM++ SDE (eta 0) | 2 | two network calls a step |
/// | DPM++ 2M, midpoint and Heun form; DEIS 2 | 2 | two outputs |
/// | DPM++ 3M SDE (eta 0) | 2 | half the weight that third order needs for the second derivative, as k-diffusion |
/// | PNDM | 2 | four outputs, but weighted as if σ were linear in time (its paper shows no higher order either) |
/// | DEIS 3 | 3 | three outputs |
/// | LMS | 4 | four outputs |
/// | UniPC 1, 2, 3 | 2, 3, 4 | one above the predictor's, by the corrector |
///
/// LCM predicts x0 in every step: more steps do not bring it closer to the flow.
class ConvergenceTest {
    private static final double SIGMA_MAX = 5;
    private static final double SIGMA_MIN = 0.1;
    private static final Shape SHAPE = Shape.of(1, 1, 4, 4);
    private static final int STEPS = 40;
    private static final int EXACT_STEPS = 3;
    private static final double ORDER_TOLERANCE = 0.4;

    private static final Schedule.SigmaToTimestep CONTINUOUS = sigma -> sigma;
    private static final NoiseSchedule TRAINED = trained();
    private static final Thresholding NO_THRESHOLDING = new Thresholding.None();

    private static Map<Sampler, Integer> orders() {
        Map<Sampler, Integer> orders = new LinkedHashMap<>();
        for (Sampler first : List.of(new Euler(), new EulerAncestral(0), new Ddim(NO_THRESHOLDING, 0),
                multistep(1, SolverType.MIDPOINT), new Deis(1, FinalOrder.FULL, NO_THRESHOLDING)))
            orders.put(first, 1);
        for (Sampler second : List.of(new Heun(NO_THRESHOLDING), new Dpm2(), new Dpm2Ancestral(0),
                new DpmPlusPlus2SAncestral(0),
                new DpmPlusPlusSde(0)))
            orders.put(second, 2);
        for (Sampler second : List.of(multistep(2, SolverType.MIDPOINT), multistep(2, SolverType.HEUN),
                new Deis(2, FinalOrder.FULL, NO_THRESHOLDING), new DpmPlusPlus3MSde(0)))
            orders.put(second, 2);
        orders.put(new Deis(3, FinalOrder.FULL, NO_THRESHOLDING), 3);
        orders.put(new Lms(), 4);
        for (UniPc.SolverType solverType : UniPc.SolverType.values()) {
            for (int order = 1; order <= 3; order++)
                orders.put(new UniPc(order, solverType, FinalOrder.FULL, NO_THRESHOLDING), order + 1);
        }
        return orders;
    }

    private static DpmPlusPlus2M multistep(int order, SolverType solverType) {
        return new DpmPlusPlus2M(order, solverType, FinalOrder.FULL, 0, NO_THRESHOLDING);
    }

    private static Schedule.Parameterization parameterization(Sampler sampler) {
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
            default -> throw new AssertionError("add the parameterization of " + sampler);
        };
    }

    @Test
    void deterministicSamplersConvergeAtTheirOrder() throws Exception {
        for (Map.Entry<Sampler, Integer> entry : orders().entrySet()) {
            Sampler sampler = entry.getKey();
            assertOrder(entry.getValue(), sampler, error(sampler, logUniformSchedule(parameterization(sampler), STEPS)),
                    error(sampler, logUniformSchedule(parameterization(sampler), 2 * STEPS)));
        }
    }

    @Test
    void timestepSamplersConvergeAtTheirOrder() throws Exception {
        assertOrder(1, new Tcd(TRAINED, 0), error(new Tcd(TRAINED, 0), timestepSchedule(64, 0)),
                error(new Tcd(TRAINED, 0), timestepSchedule(32, 0)));
        int least = TRAINED.size() / 8 - 1;
        assertOrder(2, new Pndm(TRAINED, 64), error(new Pndm(TRAINED, 64), timestepSchedule(64, least)),
                error(new Pndm(TRAINED, 32), timestepSchedule(32, least)));
    }

    private static void assertOrder(int expected, Sampler sampler, double error, double half) {
        double order = Math.log(error / half) / Math.log(2);
        if (Boolean.getBoolean("show")) System.out.printf("%s %d %.2f %.2g%n", sampler, expected, order, error);
        assertEquals(expected, order, ORDER_TOLERANCE, sampler + ": error " + error + ", with twice the steps " + half);
    }

    /// The largest distance from the exact flow, over evenly spaced starts.
    private static double error(Sampler sampler, Schedule schedule) throws Failure {
        double first = schedule.steps().getFirst().from().sigma();
        NoiseLevel last = schedule.steps().getLast().to();
        Tensor starts = Tensor.zeros(SHAPE);
        for (int i = 0; i < starts.data().length; i++)
            starts.data()[i] = (float) (first * (2.0 * i / (starts.data().length - 1) - 1));
        Denoiser denoiser = Mixture.denoiser(levels(schedule));
        SamplingRun.InitialLatents start = SamplingRun.InitialLatents.noisedImage(Tensor.zeros(SHAPE),
                starts.scaled(1 / first));
        Tensor end = end(new SamplingPlan(sampler, schedule),
                new SamplingRun(denoiser, start, NoiseSource.ofSeeds(1), StepListener.none(),
                        exactFirstSteps(schedule, starts)));
        double worst = 0;
        for (int i = 0; i < end.data().length; i++) {
            double x = schedule.parameterization() == Schedule.Parameterization.VARIANCE_EXPLODING ? end.data()[i]
                    : end.data()[i] / last.alphaT();
            worst = Math.max(worst, Math.abs(x - Mixture.flow(starts.data()[i], first, last.sigma())));
        }
        return worst;
    }

    private static Tensor end(SamplingPlan plan, SamplingRun run) throws Failure {
        return assertInstanceOf(SamplingResult.Finished.class, plan.run(run)).latents();
    }

    /// The noise level of a timestep for the mixture's denoiser.
    private static DoubleFunction<NoiseLevel> levels(Schedule schedule) {
        return schedule.sigmaToTimestep() == CONTINUOUS ? NoiseLevel::ofSigma : time -> TRAINED.level((int) time);
    }

    private static SamplingRun.LatentCallback exactFirstSteps(Schedule schedule, Tensor starts) {
        List<Schedule.Step> first = schedule.steps().subList(0, EXACT_STEPS);
        return (step, x) -> {
            if (!first.contains(step)) return x;
            Tensor exact = Tensor.zeros(SHAPE);
            for (int i = 0; i < exact.data().length; i++)
                exact.data()[i] = (float) Mixture.flow(starts.data()[i], first.getFirst().from().sigma(),
                        step.to().sigma());
            return schedule.parameterization() == Schedule.Parameterization.VARIANCE_EXPLODING ? exact
                    : exact.scaled(step.to().alphaT());
        };
    }

    /// Even in log σ, with σ as the timestep.
    private static Schedule logUniformSchedule(Schedule.Parameterization parameterization, int count) {
        List<Schedule.Step> steps = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            double from = SIGMA_MAX * Math.pow(SIGMA_MIN / SIGMA_MAX, (double) i / count);
            steps.add(new Schedule.Step(from, NoiseLevel.ofSigma(from),
                    NoiseLevel.ofSigma(SIGMA_MAX * Math.pow(SIGMA_MIN / SIGMA_MAX, (i + 1.0) / count))));
        }
        return new Schedule(steps, PredictionType.EPSILON, parameterization, 1, CONTINUOUS);
    }

    /// Even in trained timesteps, with the same first and last for every stride that divides their number.
    private static Schedule timestepSchedule(int stride, int least) {
        List<Schedule.Step> steps = new ArrayList<>();
        for (int t = TRAINED.size() - 1; t > least; t -= stride)
            steps.add(new Schedule.Step(t, TRAINED.level(t), TRAINED.level(Math.max(t - stride, least))));
        return new Schedule(steps, PredictionType.EPSILON, Schedule.Parameterization.VARIANCE_PRESERVING, 1,
                sigma -> sigma);
    }

    /// Smooth, with many more timesteps than steps.
    private static NoiseSchedule trained() {
        float[] bars = new float[2048];
        for (int t = 0; t < bars.length; t++)
            bars[t] = (float) (1
                    / (1 + Math.pow(SIGMA_MIN * Math.pow(SIGMA_MAX / SIGMA_MIN, (t + 1.0) / bars.length), 2)));
        return new NoiseSchedule(bars);
    }

    /// Stochastic samplers converge weakly: mean and variance agree within four standard errors and 0.01.
    @Test
    void stochasticSamplersReproduceMeanAndVariance() throws Exception {
        for (Sampler sampler : List.of(new EulerAncestral(1), new EulerAncestral(0.5), new Dpm2Ancestral(1),
                new DpmPlusPlus2SAncestral(1), new DpmPlusPlusSde(1), new DpmPlusPlusSde(0.5),
                new DpmPlusPlus2M(2, SolverType.MIDPOINT, FinalOrder.FULL, 1, NO_THRESHOLDING),
                new DpmPlusPlus2M(2, SolverType.HEUN, FinalOrder.FULL, 0.5, NO_THRESHOLDING),
                new DpmPlusPlus3MSde(1), new DpmPlusPlus3MSde(0.5), new Ddim(NO_THRESHOLDING, 1),
                new Ddim(NO_THRESHOLDING, 0.5),
                new Ddpm(NO_THRESHOLDING, Ddpm.VarianceType.FIXED_SMALL))) {
            assertMoments(sampler, logUniformSchedule(parameterization(sampler), 200));
        }
        assertMoments(new Tcd(TRAINED, 0.3), timestepSchedule(16, 0));
    }

    private static void assertMoments(Sampler sampler, Schedule schedule) throws Failure {
        Shape many = Shape.of(1, 4, 64, 64);
        NoiseSource random = NoiseSource.ofSeeds(2);
        SamplingRun.InitialLatents start = SamplingRun.InitialLatents.noisedImage(Mixture.sample(many, new Random(3)),
                random.draw(many));
        Tensor end = end(new SamplingPlan(sampler, schedule), new SamplingRun(Mixture.denoiser(levels(schedule)), start,
                random, StepListener.none(), SamplingRun.LatentCallback.none()));
        NoiseLevel last = schedule.steps().getLast().to();
        double scale = schedule.parameterization() == Schedule.Parameterization.VARIANCE_EXPLODING ? 1 : last.alphaT();
        double mean = 0;
        for (float x : end.data()) mean += x / scale / end.data().length;
        double variance = Math.pow(end.standardDeviation() / scale, 2);
        double expected = Mixture.variance() + last.sigma() * last.sigma();
        double count = end.data().length;
        assertEquals(Mixture.mean(), mean, 4 * Math.sqrt(expected / count) + 0.01, sampler + ": mean");
        assertEquals(expected, variance, 4 * expected * Math.sqrt(2 / count) + 0.01, sampler + ": variance");
    }
}
