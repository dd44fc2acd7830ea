package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// The linear multistep method: the polynomial through up to four slopes, integrated over the step.
/// Source: Hairer, Nørsett and Wanner 1993, "Solving Ordinary Differential Equations I", section III.1 (explicit Adams methods, unequal
/// steps in σ); Katherine Crowson's k-diffusion for its use here.
public record Lms() implements Sampler {
    static Plan plan(Wanted wanted) throws Failure {
        return new Plan(new Lms(), RatioReading.schedule(wanted, RatioReading.reference(wanted).steps(0)));
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        List<Answer> known = at.with(said);
        double[] ratios = known.stream().mapToDouble(answer -> answer.at().ratio()).toArray();
        Tensor x = at.x();
        for (int j = 0; j < ratios.length; j++) {
            x = Latents.sum(1, x, Lagrange.integral(ratios, j, said.at().ratio(), at.step().to().ratio()), known.get(j).slope());
        }
        return new Stepped(x, said);
    }
}
