package atomstudio.app.verify;

import atomstudio.app.runtime.Assets;
import atomstudio.app.verify.Verifier.Verification.TensorCheck;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.ImageGolden;
import atomstudio.diffusion.engine.Img2ImgGolden;
import atomstudio.diffusion.engine.NetworkGolden;
import atomstudio.diffusion.engine.PromptGolden;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.prompt.TokenizerGolden;
import atomstudio.diffusion.sample.NoiseGolden;
import atomstudio.diffusion.sample.SamplerGolden;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.tuning.torch.TorchEngine;
import atomstudio.tuning.torch.TorchSettings;
import atomstudio.tuning.train.TrainingGolden;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Runs goldens of every kind on the engines that apply; the kind shows in the keys or the extension.
/// @param model what goldens are compared with, and where to look for its tokenizer; what belongs to each golden
///     where the place is empty
public record Verifier(Optional<Path> model, ModelLoadOptions choices, Device device, TorchSettings torch) {
    /// @throws Failure.NotBuilt when nothing in the golden can be run yet
    public Verification verify(Path golden) throws Failure {
        try {
            return verifyByKind(golden);
        } catch (RuntimeException error) { // shapes, names and numbers are what the golden says; any of them may be wrong
            throw new Failure.Unreadable(golden + ": is damaged: its tensors and metadata do not fit together ("
                    + SafeText.of(error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage())
                    + "); get it again", error);
        }
    }

    private Verification verifyByKind(Path golden) throws Failure {
        if (golden.getFileName() == null)
            throw new Failure.Unreadable(golden + ": expected a golden, .safetensors or .jsonl, found a folder");
        String name = golden.getFileName().toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".jsonl"))
            return Verification.of(golden, "java", TokenizerGolden.verify(golden, Tokenizer.open(tokenizerFolder())));
        if (!name.endsWith(".safetensors")) {
            throw new Failure.Unreadable(golden + ": expected a golden, .safetensors or .jsonl"
                    + (name.endsWith(".png") ? "; give the .safetensors beside this picture" : ""));
        }
        try (SafetensorsFile file = SafetensorsFile.open(golden)) {
            if (ImageGolden.recognizes(file)) return verifyImage(golden, file);
            if (Img2ImgGolden.recognizes(file)) return verifyImageToImage(golden, file);
            if (PromptGolden.recognizes(file)) return verifyPrompts(golden, file);
            if (TrainingGolden.matches(file.tensors().keySet())) return verifyTraining(golden, file);
            if (NetworkGolden.recognizes(file)) return verifyNetworks(golden, file);
            if (SamplerGolden.recognizes(file)) return Verification.of(golden, "java", SamplerGolden.verify(golden));
            if (NoiseGolden.recognizes(file)) return Verification.of(golden, "java", NoiseGolden.verify(golden));
        }
        throw new Failure.Unreadable(golden
                + ": is no golden of a known kind (network, sampler, noise, tokenizer, prompt, tuning, picture); its keys say nothing");
    }

    private DiffusionModel open(Path path) throws Failure {
        return DiffusionModel.open(path, choices);
    }

    private Verification verifyNetworks(Path golden, SafetensorsFile file) throws Failure {
        DiffusionModel folder = open(model.orElse(golden.toAbsolutePath().resolveSibling("model")));
        List<TensorCheck> checks = new ArrayList<>();
        try (Engine engine = OnnxEngine.open(folder, device, torch.threads())) {
            checks.addAll(Verification.checks("onnx", NetworkGolden.compare(file, engine)));
        }
        try (Engine engine = TorchEngine.open(folder, device, torch)) {
            checks.addAll(Verification.checks("torch", NetworkGolden.compare(file, engine)));
        }
        return new Verification(golden, checks, List.of());
    }

    private Verification verifyImage(Path golden, SafetensorsFile file) throws Failure {
        DiffusionModel folder = open(model.isPresent() ? model.get() : Assets.find().defaultModel());
        try (Engine engine = OnnxEngine.open(folder, device, torch.threads())) {
            return Verification.of(golden, "onnx", ImageGolden.compare(file, folder, engine));
        }
    }

    private Verification verifyImageToImage(Path golden, SafetensorsFile file) throws Failure {
        Path defaultModel = Img2ImgGolden.needsInpaintingModel(file)
                ? golden.toAbsolutePath().getParent().resolveSibling("nets/inpaint/model")
                : Assets.find().defaultModel();
        DiffusionModel folder = DiffusionModel.open(model.orElse(defaultModel));
        try (Engine engine = OnnxEngine.open(folder, device, torch.threads())) {
            return Verification.of(golden, "onnx", Img2ImgGolden.compare(file, folder, engine));
        }
    }

    private Verification verifyPrompts(Path golden, SafetensorsFile file) throws Failure {
        DiffusionModel folder = open(model.isPresent() ? model.get() : Assets.find().defaultModel());
        try (Engine engine = OnnxEngine.open(folder, device, torch.threads())) {
            return Verification.of(golden, "onnx", PromptGolden.compare(file, folder, engine));
        }
    }

    private Verification verifyTraining(Path golden, SafetensorsFile file) throws Failure {
        TrainingGolden.GoldenComparison result = TrainingGolden.compare(file,
                open(model.isPresent() ? model.get() : referencedModel(golden, file)), device, torch);
        return new Verification(golden, Verification.checks("torch", result.deviations()), result.unsupported());
    }

    /// The model that a golden's metadata names, relative to a folder above the golden.
    private static Path referencedModel(Path golden, SafetensorsFile file) throws Failure {
        String name = file.metadata().get("model");
        if (name == null) throw new Failure.Unreadable(golden + ": its metadata names no model; give one with --model");
        for (Path folder = golden.toAbsolutePath().getParent(); folder != null; folder = folder.getParent()) {
            if (Files.isDirectory(folder.resolve(name))) return folder.resolve(name);
        }
        throw new Failure.Unreadable(golden + ": the model that it names, " + SafeText.of(name)
                + ", is in no folder above it; give it with --model");
    }

    /// The tokenizer's own folder: a model's, or one with CLIP's merges.
    private Path tokenizerFolder() throws Failure {
        Path folder = model.isPresent() ? model.get() : Assets.find().defaultModel();
        return Files.isDirectory(folder.resolve("tokenizer")) ? folder.resolve("tokenizer") : folder;
    }

    /// What came of one golden: how far each tensor is from its reference on each engine, and what could not be run.
    public record Verification(Path golden, List<TensorCheck> checks, List<String> unsupported) {
        /// A tensor computed by an engine (`onnx`, `torch`, or `java`).
        public record TensorCheck(String engine, Deviation deviation) {}

        static Verification of(Path golden, String engine, List<Deviation> deviations) {
            return new Verification(golden, checks(engine, deviations), List.of());
        }

        static List<TensorCheck> checks(String engine, List<Deviation> deviations) {
            return deviations.stream().map(deviation -> new TensorCheck(engine, deviation)).toList();
        }

        /// Whether everything that was run is within its tolerance. A golden of which nothing was run agrees with
        /// nothing.
        public boolean isWithinTolerance() {
            return checks.stream().allMatch(check -> check.deviation().isWithinTolerance());
        }
    }
}
