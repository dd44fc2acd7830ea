package atomstudio.app.hub;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// What a repository without a usable model contains instead.
final class RepositoryContent {
    private RepositoryContent() {}

    /// A noun phrase, such as `a LoRA for owner/name`.
    static String describe(HubRepository repository) {
        HubRepository.ModelCard card = repository.card();
        String bases = card.baseModels().isEmpty() ? "" : " for " + String.join(", ", card.baseModels());
        if (has(repository, name -> name.equals("adapter_config.json") || name.startsWith("pytorch_lora_weights"))
                || card.library().equals("peft") || card.tags().contains("lora"))
            return "an adapter (LoRA)" + bases + ", which is used together with a model";
        if (card.tags().contains("textual_inversion") || has(repository, name -> name.startsWith("learned_embeds")))
            return "an embedding (textual inversion)" + bases + ", which is used together with a model";
        if (card.tags().contains("controlnet")) return "a ControlNet" + bases;
        if (has(repository, name -> name.endsWith(".gguf"))) return "a model for llama.cpp or ComfyUI (GGUF)";
        if (has(repository, name -> name.endsWith(".ckpt")))
            return "checkpoints as pickles (.ckpt) only; download such a file with a browser and open it";
        if (has(repository, name -> name.endsWith(".onnx"))) return "a model for ONNX Runtime";
        if (has(repository, name -> name.equals("config.json"))) return singleNetwork(card);
        return repository.files().isEmpty() ? "nothing"
                : "other files" + library(card).map(name -> " (" + name + ")").orElse("");
    }

    private static String singleNetwork(HubRepository.ModelCard card) {
        return switch (card.library()) {
            case "diffusers" -> "a single network of diffusers (a VAE, a UNet or a ControlNet), not a whole model";
            case "transformers" -> "a model of transformers, which is not for images";
            default -> "a single network" + library(card).map(name -> " of " + name).orElse("") + ", not a whole model";
        };
    }

    private static Optional<String> library(HubRepository.ModelCard card) {
        return Optional.of(card.library()).filter(Predicate.not(String::isEmpty));
    }

    private static boolean has(HubRepository repository, Predicate<String> fileName) {
        List<HubFile> files = repository.files();
        return files.stream().anyMatch(file -> fileName.test(file.fileName()));
    }
}
