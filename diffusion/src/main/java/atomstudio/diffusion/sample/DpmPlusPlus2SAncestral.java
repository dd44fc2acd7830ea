package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The second-order single-step solver for the clean latents, ancestral: asks twice and draws once a step, but not at a last one to no noise.
/// Source: Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver++", algorithm 1 with r = 1/2, in latents x0 + σ · noise as k-diffusion's
/// `sample_dpmpp_2s_ancestral`; [Ancestral].
public record DpmPlusPlus2SAncestral(double eta) implements Sampler {
    static Plan plan(Wanted wanted) throws Failure {
        return new Plan(new DpmPlusPlus2SAncestral(wanted.eta()), RatioReading.schedule(wanted, RatioReading.kDiffusion(wanted).steps(0)));
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        if (at.step().to().sigma() == 0) return new Stepped(said.clean(), said);
        Ancestral way = Ancestral.of(at.step(), eta);
        double middle = Math.sqrt(said.at().ratio() * way.down());
        Tensor truth = way.down() == 0 ? said.clean() : halfway(at, said, Level.ofRatio(middle)).clean();
        return new Stepped(way.noised(said.toward(truth, way.down()), at.draw()), said);
    }

    private static Answer halfway(Moment at, Answer said, Level middle) throws Failure {
        return at.ask(at.kept(said.toward(said.clean(), middle.ratio()), middle), middle);
    }
}
