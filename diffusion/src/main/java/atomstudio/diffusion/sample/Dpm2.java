package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The midpoint method on the probability flow, the middle taken in log σ. Asks twice a step, but for a last one to no noise.
/// Source: Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver", algorithm 1, as k-diffusion has it with Karras et al.'s slopes.
public record Dpm2() implements Sampler {
    static Plan plan(Wanted wanted) throws Failure {
        return new Plan(new Dpm2(), RatioReading.schedule(wanted, points(wanted).steps(0)));
    }

    /// The times of Karras's spacing are whole, those of the middles are not, as in the reference.
    static Points points(Wanted wanted) throws Failure {
        Points points = RatioReading.reference(wanted);
        return wanted.flagged() == ScheduleName.KARRAS ? points.told(Math::rint) : points;
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        return new Stepped(to(at, said, at.step().to().ratio()), said);
    }

    /// From what was said to another σ. What is kept is put back as noisy as at the step's end, not as in the middle, as in the reference.
    static Tensor to(Moment at, Answer said, double ratio) throws Failure {
        if (ratio == 0) return said.along(said.slope(), 0);
        double middle = Math.sqrt(said.at().ratio() * ratio);
        Answer half = at.ask(at.kept(said.along(said.slope(), middle), at.step().to()), Level.ofRatio(middle));
        return said.along(half.slope(), ratio);
    }
}
