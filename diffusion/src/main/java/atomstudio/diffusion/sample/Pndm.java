package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// The pseudo linear multistep method: Adams and Bashforth's weights on up to four outputs of the network, in latents alpha · x0 + sigma · noise.
/// The first step is taken twice, the second time with the mean of the outputs at both ends.
/// Source: Liu, Ren, Lin and Zhao 2022, "Pseudo Numerical Methods for Diffusion Models on Manifolds", equations 11, 12 and 22.
///
/// @param stride timesteps of a step
public record Pndm(NoiseSchedule trained, int stride) implements Sampler {
    /// Latest output first, by how many there are.
    private static final double[][] WEIGHTS = {{1}, {3 / 2.0, -1 / 2.0}, {23 / 12.0, -16 / 12.0, 5 / 12.0}, {55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0}};

    static Plan plan(Wanted wanted) throws Failure {
        SchedulerConfig config = wanted.config();
        if (!config.flag("skip_prk_steps", false)) throw config.notBuilt("skip_prk_steps", "false");
        NoiseSchedule trained = NoiseSchedule.of(config);
        int stride = trained.size() / wanted.steps();
        Level end = config.flag("set_alpha_to_one", false) ? new Level(1, 0) : trained.level(0);
        List<Step> steps = new ArrayList<>();
        for (int timestep : TrainedReading.timesteps(wanted)) {
            steps.add(new Step(timestep, trained.level(timestep), timestep >= stride ? trained.level(timestep - stride) : end));
        }
        refuseZeroSignal(steps);
        return new Plan(new Pndm(trained, stride), TrainedReading.schedule(wanted, steps));
    }

    /// Its step divides by the signal at the step's beginning.
    private static void refuseZeroSignal(List<Step> steps) throws Failure {
        if (steps.getFirst().from().alpha() > 0) return;
        throw new Failure.Incompatible("sampler pndm with zero terminal SNR (rescale_betas_zero_snr): it divides by the signal, which is 0 at timestep "
                + (int) steps.getFirst().timestep() + "; choose ddim, euler or another sampler");
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        if (at.past().isEmpty() && !at.last()) return new Stepped(twice(at, said), said);
        List<Answer> known = at.with(said);
        double[] weights = WEIGHTS[known.size() - 1];
        Tensor output = Latents.scale(weights[0], said.output());
        for (int k = 1; k < weights.length; k++) output = Latents.sum(1, output, weights[k], known.get(k).output());
        return new Stepped(moved(at, output, said.at(), at.step().to()), said);
    }

    /// The second time counts the stride back from the next timestep, as in the reference.
    private Tensor twice(Moment at, Answer said) throws Failure {
        int next = (int) at.ahead().getFirst().timestep();
        Answer there = at.askAtTheEnd(at.kept(moved(at, said.output(), said.at(), at.step().to()), at.ahead().getFirst().from()));
        Tensor mean = Latents.sum(0.5, said.output(), 0.5, there.output());
        return moved(at, mean, trained.level(Math.min(next + stride, trained.size() - 1)), trained.level(next));
    }

    private static Tensor moved(Moment at, Tensor output, Level from, Level to) {
        Tensor noise = at.outside().schedule().prediction().noise(at.x(), output, from);
        double share = to.alpha() / from.alpha();
        return Latents.sum(share, at.x(), to.sigma() - share * from.sigma(), noise);
    }
}
