package atomstudio.app.verify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.engine.PromptEncoder;
import atomstudio.diffusion.engine.TextEncoder;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Golden prompt embeddings of a reference text encoder, with emphasis, chunks and clip skip: metadata `cases` has the
/// prompts, `context.K` the embedding of case K. Cases with an adapter's token are skipped.
final class PromptGolden {
    private static final double TOLERANCE = 1e-4;

    private PromptGolden() {}

    static boolean recognizes(SafetensorsFile file) {
        return file.metadata().containsKey("cases") && file.has("context.0");
    }

    static List<Deviation> compare(SafetensorsFile golden, DiffusionModel model, TextEncoder textEncoder)
            throws Failure {
        PromptEncoder encoder = PromptEncoder.of(model, textEncoder);
        List<Deviation> deviations = new ArrayList<>();
        List<Json> cases = cases(golden);
        for (int k = 0; k < cases.size(); k++) {
            Json json = cases.get(k);
            if (json.has("word")) continue;
            String prompt = json.string("prompt");
            int clipSkip = json.has("clip skip") ? json.integer("clip skip", 1, Integer.MAX_VALUE) : 1;
            String name = "context." + k;
            Tensor found = encoder.encode(new PromptPair(prompt, prompt), clipSkip, List.of()).prompt();
            deviations.add(Deviation.relative(name, golden.read(name), found, TOLERANCE));
        }
        return deviations;
    }

    private static List<Json> cases(SafetensorsFile golden) throws Failure {
        return Json.parse(golden.file() + ": metadata", "{\"cases\":" + golden.metadata().get("cases") + "}")
                .objects("cases");
    }
}
