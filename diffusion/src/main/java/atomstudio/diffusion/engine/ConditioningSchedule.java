package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.engine.PromptEncoder.PromptEmbeddings;
import atomstudio.diffusion.prompt.PromptSchedule;
import atomstudio.diffusion.prompt.PromptSchedule.Pass;
import java.util.ArrayList;
import java.util.List;

/// The prompt embeddings of every step.
@FunctionalInterface
public interface ConditioningSchedule {
    /// @param step in the pass, from 1
    PromptEmbeddings embeddingsAt(int step, Pass pass) throws Failure;

    /// The same at every step.
    static ConditioningSchedule of(PromptEmbeddings embeddings) {
        return (step, pass) -> embeddings;
    }

    /// A generation's prompts, with prompt editing.
    static ConditioningSchedule of(Generation generation, PromptEncoder encoder) {
        PromptSchedule positive = PromptSchedule.parse(generation.prompt().positive());
        PromptSchedule negative = PromptSchedule.parse(generation.prompt().negative());
        return (step, pass) -> {
            PromptPair prompt = new PromptPair(positive.at(step, pass), negative.at(step, pass));
            return encoder.encode(prompt, generation.settings().clipSkip(), generation.adapters());
        };
    }

    /// All steps of a pass, encoded before it starts.
    default List<PromptEmbeddings> forAllSteps(Pass pass) throws Failure {
        List<PromptEmbeddings> all = new ArrayList<>();
        for (int step = 1; step <= pass.steps(); step++) all.add(embeddingsAt(step, pass));
        return all;
    }
}
