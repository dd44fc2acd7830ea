package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// The exponential integrator for the predicted noise: its polynomial in log ρ through up to three steps, integrated over ρ = sigma / alpha,
/// in latents alpha · x0 + sigma · noise. Source: Zhang and Chen 2023, "Fast Sampling of Diffusion Models with Exponential Integrator", equation 15 (log ρ AB-DEIS).
///
/// @param order 1 to 3
/// @param ending whether the last steps, where few are taken, are of as low an order as steps are left
public record Deis(int order, Ending ending, Bound bound) implements Sampler {
    public enum Ending { LOWER_ORDER, FULL_ORDER }

    /// Ends at the least noise that was trained; a schedule that the config names repeats its last level instead, as in the reference.
    static Plan plan(Wanted wanted) throws Failure {
        SchedulerConfig config = wanted.config();
        int order = config.whole("solver_order", 2);
        if (order < 1 || order > 3) throw new Failure.Incompatible("solver_order: expected 1 to 3, found " + order);
        Ratios trained = Ratios.of(config);
        Points points = MultistepReading.points(wanted, trained.size(), Math::rint);
        double end = switch (wanted.flagged()) {
            case KARRAS, EXPONENTIAL, BETA_SIGMAS -> points.last();
            case MODEL, BETA, AYS, SGM_UNIFORM, SIMPLE -> Math.min(points.last(), trained.least());
        };
        Ending ending = MultistepReading.few(wanted, points) ? Ending.LOWER_ORDER : Ending.FULL_ORDER;
        return new Plan(new Deis(order, ending, Bound.thresholding(config)), MultistepReading.schedule(wanted, points.steps(end)));
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask().bounded(bound);
        List<Answer> known = at.with(said);
        int left = at.ahead().size() + 1;
        int used = Math.min(known.size(), ending == Ending.LOWER_ORDER ? Math.min(order, left) : order);
        double[] logs = known.stream().limit(used).mapToDouble(answer -> Math.log(answer.at().ratio())).toArray();
        Level from = said.at();
        Level to = at.step().to();
        Tensor x = Latents.scale(to.alpha() / from.alpha(), at.x());
        for (int j = 0; j < used; j++) {
            x = Latents.sum(1, x, to.alpha() * Lagrange.logIntegral(logs, j, from.ratio(), to.ratio()), noise(known.get(j)));
        }
        return new Stepped(x, said);
    }

    /// The noise that goes with the bounded clean latents.
    private static Tensor noise(Answer answer) {
        return Latents.sum(1 / answer.at().sigma(), answer.x(), -answer.at().alpha() / answer.at().sigma(), answer.clean());
    }
}
