package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.List;

/// Prompts and what a reference's text encoder says of them: metadata `cases` lists the prompts, `context.K` is what
/// case K comes to, with weights, chunks and clip skip. Cases with a word of an adapter are passed over.
public final class PromptGolden {
    private static final double TOLERANCE = 1e-4;

    private PromptGolden() {}

    public static boolean recognizes(SafetensorsFile file) {
        return file.metadata().containsKey("cases") && file.has("context.0");
    }

    public static List<Deviation> compare(SafetensorsFile golden, DiffusionModel model, Engine engine) throws Failure {
        PromptEncoder encoder = PromptEncoder.of(model, engine);
        List<Deviation> deviations = new ArrayList<>();
        List<JsonElement> cases = cases(golden);
        for (int k = 0; k < cases.size(); k++) {
            JsonObject one = cases.get(k).getAsJsonObject();
            if (one.has("word")) continue;
            String text = one.get("prompt").getAsString();
            int clipSkip = one.has("clip skip") ? one.get("clip skip").getAsInt() : 1;
            String name = "context." + k;
            deviations.add(Deviation.relative(name, golden.read(name),
                    encoder.encode(new PromptPair(text, text), clipSkip, List.of()).prompt(), TOLERANCE));
        }
        return deviations;
    }

    private static List<JsonElement> cases(SafetensorsFile golden) throws Failure {
        try {
            return JsonParser.parseString(golden.metadata().get("cases")).getAsJsonArray().asList();
        } catch (RuntimeException e) {
            throw new Failure.Unreadable(
                    golden.file() + ": metadata \"cases\": expected a list of prompts: " + e.getMessage(), e);
        }
    }
}
