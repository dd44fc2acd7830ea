package atomstudio.diffusion.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.DpmPlusPlus2M.SolverType;
import atomstudio.diffusion.sample.Sampler.FinalOrder;
import atomstudio.diffusion.sample.SamplingPlan.Parameterization;
import atomstudio.diffusion.sample.SamplingRun.Denoiser;
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

    private static final SamplingPlan.SigmaToTimestep CONTINUOUS = sigma -> sigma;
    private static final NoiseSchedule TRAINED = trained();
    private static final Thresholding NO_THRESHOLDING = new Thresholding.None();

    private static Map<Sampler, Integer> orders() {
        Map<Sampler, Integer> orders = new LinkedHashMap<>();
        for (Sampler first : List.of(new Euler(0), new Ddim(NO_THRESHOLDING, 0),
                multistep(1, SolverType.MIDPOINT), new Deis(1, FinalOrder.FULL, NO_THRESHOLDING)))
            orders.put(first, 1);
        for (Sampler second : List.of(new Heun(NO_THRESHOLDING), new Dpm2(0),
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

    private static Parameterization parameterization(Sampler sampler) {
        return switch (sampler) {
            case Euler _,Heun _,Lms _,Dpm2 _,DpmPlusPlusSde _,DpmPlusPlus2SAncestral _,DpmPlusPlus3MSde _ ->
                    Parameterization.VARIANCE_EXPLODING;
            case Ddim _,Ddpm _,Pndm _,DpmPlusPlus2M _,UniPc _,Deis _,Lcm _,Tcd _ ->
                    Parameterization.VARIANCE_PRESERVING;
            default -> throw new AssertionError("add the parameterization of " + sampler);
        };
    }

    @Test
    void deterministicSamplersConvergeAtTheirOrder() throws Exception {
        for (Map.Entry<Sampler, Integer> entry : orders().entrySet()) {
            Sampler sampler = entry.getKey();
            assertOrder(entry.getValue(), sampler, error(logUniformPlan(sampler, STEPS)),
                    error(logUniformPlan(sampler, 2 * STEPS)));
        }
    }

    @Test
    void timestepSamplersConvergeAtTheirOrder() throws Exception {
        assertOrder(1, new Tcd(TRAINED, 0), error(timestepPlan(new Tcd(TRAINED, 0), 64, 0)),
                error(timestepPlan(new Tcd(TRAINED, 0), 32, 0)));
        int least = TRAINED.size() / 8 - 1;
        assertOrder(2, new Pndm(TRAINED, 64), error(timestepPlan(new Pndm(TRAINED, 64), 64, least)),
                error(timestepPlan(new Pndm(TRAINED, 32), 32, least)));
    }

    private static void assertOrder(int expected, Sampler sampler, double error, double half) {
        double order = Math.log(error / half) / Math.log(2);
        if (Boolean.getBoolean("show")) System.out.printf("%s %d %.2f %.2g%n", sampler, expected, order, error);
        assertEquals(expected, order, ORDER_TOLERANCE, sampler + ": error " + error + ", with twice the steps " + half);
    }

    /// The largest distance from the exact flow, over evenly spaced starts.
    private static double error(SamplingPlan plan) throws Failure {
        double first = plan.steps().getFirst().from().sigma();
        NoiseLevel last = plan.steps().getLast().to();
        Tensor starts = Tensor.zeros(SHAPE);
        for (int i = 0; i < starts.data().length; i++)
            starts.data()[i] = (float) (first * (2.0 * i / (starts.data().length - 1) - 1));
        Denoiser denoiser = Mixture.denoiser(levels(plan));
        Tensor start = plan.initialLatents(Tensor.zeros(SHAPE), starts.scaled(1 / first));
        Tensor end = end(plan,
                new SamplingRun(denoiser, start, NoiseSource.ofSeeds(1), StepListener.none(),
                        exactFirstSteps(plan, starts)));
        double worst = 0;
        for (int i = 0; i < end.data().length; i++) {
            double x = plan.parameterization() == Parameterization.VARIANCE_EXPLODING ? end.data()[i]
                    : end.data()[i] / last.alphaT();
            worst = Math.max(worst, Math.abs(x - Mixture.flow(starts.data()[i], first, last.sigma())));
        }
        return worst;
    }

    private static Tensor end(SamplingPlan plan, SamplingRun run) throws Failure {
        return plan.run(run).orElseThrow();
    }

    /// The noise level of a timestep for the mixture's denoiser.
    private static DoubleFunction<NoiseLevel> levels(SamplingPlan plan) {
        return plan.sigmaToTimestep() == CONTINUOUS ? NoiseLevel::ofSigma : time -> TRAINED.level((int) time);
    }

    private static SamplingRun.LatentCallback exactFirstSteps(SamplingPlan plan, Tensor starts) {
        List<SamplingPlan.Step> first = plan.steps().subList(0, EXACT_STEPS);
        return (step, x) -> {
            if (!first.contains(step)) return x;
            Tensor exact = Tensor.zeros(SHAPE);
            for (int i = 0; i < exact.data().length; i++)
                exact.data()[i] = (float) Mixture.flow(starts.data()[i], first.getFirst().from().sigma(),
                        step.to().sigma());
            return plan.parameterization() == Parameterization.VARIANCE_EXPLODING ? exact
                    : exact.scaled(step.to().alphaT());
        };
    }

    /// Even in log σ, with σ as the timestep.
    private static SamplingPlan logUniformPlan(Sampler sampler, int count) {
        List<SamplingPlan.Step> steps = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            double from = SIGMA_MAX * Math.pow(SIGMA_MIN / SIGMA_MAX, (double) i / count);
            steps.add(new SamplingPlan.Step(from, NoiseLevel.ofSigma(from),
                    NoiseLevel.ofSigma(SIGMA_MAX * Math.pow(SIGMA_MIN / SIGMA_MAX, (i + 1.0) / count))));
        }
        return new SamplingPlan(sampler, steps, parameterization(sampler), 1, PredictionType.EPSILON, CONTINUOUS);
    }

    /// Even in trained timesteps, with the same first and last for every stride that divides their number.
    private static SamplingPlan timestepPlan(Sampler sampler, int stride, int least) {
        List<SamplingPlan.Step> steps = new ArrayList<>();
        for (int t = TRAINED.size() - 1; t > least; t -= stride)
            steps.add(new SamplingPlan.Step(t, TRAINED.level(t), TRAINED.level(Math.max(t - stride, least))));
        return new SamplingPlan(sampler, steps, Parameterization.VARIANCE_PRESERVING, 1, PredictionType.EPSILON,
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
        for (Sampler sampler : List.of(new Euler(1), new Euler(0.5), new Dpm2(1),
                new DpmPlusPlus2SAncestral(1), new DpmPlusPlusSde(1), new DpmPlusPlusSde(0.5),
                new DpmPlusPlus2M(2, SolverType.MIDPOINT, FinalOrder.FULL, 1, NO_THRESHOLDING),
                new DpmPlusPlus2M(2, SolverType.HEUN, FinalOrder.FULL, 0.5, NO_THRESHOLDING),
                new DpmPlusPlus3MSde(1), new DpmPlusPlus3MSde(0.5), new Ddim(NO_THRESHOLDING, 1),
                new Ddim(NO_THRESHOLDING, 0.5),
                new Ddpm(NO_THRESHOLDING, Ddpm.VarianceType.FIXED_SMALL))) {
            assertMoments(logUniformPlan(sampler, 200));
        }
        assertMoments(timestepPlan(new Tcd(TRAINED, 0.3), 16, 0));
    }

    private static void assertMoments(SamplingPlan plan) throws Failure {
        Shape many = Shape.of(1, 4, 64, 64);
        NoiseSource random = NoiseSource.ofSeeds(2);
        Tensor start = plan.initialLatents(Mixture.sample(many, new Random(3)), random.draw(many));
        Tensor end = end(plan, new SamplingRun(Mixture.denoiser(levels(plan)), start,
                random, StepListener.none(), SamplingRun.LatentCallback.none()));
        NoiseLevel last = plan.steps().getLast().to();
        double scale = plan.parameterization() == Parameterization.VARIANCE_EXPLODING ? 1 : last.alphaT();
        double mean = 0;
        for (float x : end.data()) mean += x / scale / end.data().length;
        double variance = Math.pow(end.standardDeviation() / scale, 2);
        double expected = Mixture.variance() + last.sigma() * last.sigma();
        double count = end.data().length;
        assertEquals(Mixture.mean(), mean, 4 * Math.sqrt(expected / count) + 0.01, plan.sampler() + ": mean");
        assertEquals(expected, variance, 4 * expected * Math.sqrt(2 / count) + 0.01, plan.sampler() + ": variance");
    }
}
