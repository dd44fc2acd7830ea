package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;

/// The second-order multistep solver for the predicted clean latents, in latents alpha · x0 + sigma · noise.
/// Source: Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver++", algorithm 2 (λ = log(alpha / sigma), midpoint form).
///
/// @param ending the order of the last step; a last step to no noise at all must be of first order
public record DpmPlusPlus2M(Ending ending) implements Sampler {
    public enum Ending { FIRST_ORDER, SECOND_ORDER }

    /// Karras's spacing takes its end points from the whole training schedule, and the network is asked at whole timesteps,
    /// as in the reference.
    static Plan plan(SchedulerConfig config, int steps) throws Failure {
        refuseOtherSolvers(config);
        Ratios trained = Ratios.of(config);
        double[] timesteps = timesteps(config, trained, steps);
        double[] ratios = trained.at(timesteps);
        if (config.karras()) {
            ratios = Ratios.karras(trained.most(), trained.least(), steps);
            timesteps = trained.timesteps(ratios);
            boolean truncated = config.text("beta_schedule", "linear").equals("squaredcos_cap_v2");
            for (int i = 0; i < steps; i++) timesteps[i] = truncated ? Math.floor(timesteps[i]) : Math.rint(timesteps[i]);
        }
        double end = trained.end(config);
        boolean low = end == 0 || config.flag("euler_at_final", false) || config.flag("lower_order_final", true) && timesteps.length < 15;
        Schedule schedule = new Schedule(Ratios.steps(timesteps, ratios, end), config.prediction(), Space.VARIANCE, 1, trained);
        return new Plan(new DpmPlusPlus2M(low ? Ending.FIRST_ORDER : Ending.SECOND_ORDER), schedule);
    }

    private static void refuseOtherSolvers(SchedulerConfig config) throws Failure {
        config.refuse("use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas", "use_dynamic_shifting", "thresholding");
        int order = config.whole("solver_order", 2);
        if (order != 2) throw config.notBuilt("solver_order", Integer.toString(order));
        String algorithm = config.text("algorithm_type", "dpmsolver++");
        if (!algorithm.equals("dpmsolver++") && !algorithm.equals("deis")) throw config.notBuilt("algorithm_type", algorithm);
        String solver = config.text("solver_type", "midpoint");
        switch (solver) {
            case "midpoint", "logrho", "bh1", "bh2" -> { /* the reference reads the names of other solvers as midpoint */ }
            default -> throw config.notBuilt("solver_type", solver);
        }
        String variance = config.text("variance_type", "");
        if (!variance.isEmpty()) throw config.notBuilt("variance_type", variance);
    }

    /// One point more than steps for linspace and leading, the last of which (the one with least noise) is not visited.
    private static double[] timesteps(SchedulerConfig config, Ratios trained, int steps) throws Failure {
        int visible = trained.above(config.number("lambda_min_clipped", Double.NEGATIVE_INFINITY));
        if (config.spacing() == Spacing.LEADING && steps >= visible) {
            throw new Failure.Incompatible("steps: dpmpp-2m with leading spacing takes at most " + (visible - 1) + " with this model, found " + steps);
        }
        double[] timesteps = switch (config.spacing()) {
            case LINSPACE, LEADING -> Arrays.copyOf(config.spacing().timesteps(visible, steps + 1, config.stepsOffset()), steps);
            case TRAILING -> Spacing.trailing(visible, (double) config.trainTimesteps() / steps);
        };
        for (int i = 0; i < timesteps.length; i++) timesteps[i] = Math.rint(timesteps[i]);
        return timesteps;
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        Step step = at.step();
        boolean first = at.past().isEmpty() || at.last() && ending == Ending.FIRST_ORDER;
        Tensor data = first ? said.clean() : extrapolated(said, at.past().getFirst(), step.to());
        double shrink = Math.expm1(step.from().lambda() - step.to().lambda());
        return new Stepped(Latents.sum(step.to().sigma() / step.from().sigma(), at.x(), -step.to().alpha() * shrink, data), said);
    }

    /// D = (1 + 1/2r) x0 - 1/2r x0', where x0' is the step before's and r the ratio of the two steps in λ.
    private static Tensor extrapolated(Answer said, Answer before, Level to) {
        double r = (said.at().lambda() - before.at().lambda()) / (to.lambda() - said.at().lambda());
        return Latents.sum(1 + 0.5 / r, said.clean(), -0.5 / r, before.clean());
    }
}
