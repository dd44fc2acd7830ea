package atomstudio.app.verify;

import atomstudio.app.runtime.Assets;
import atomstudio.app.verify.Verifier.Verification.TensorCheck;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.tuning.torch.TorchEngine;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Compares goldens with the results of the engines. The kind of a golden follows from its keys or file extension.
/// @param model    empty: the model of each golden
/// @param adapters applied to the networks
public record Verifier(Optional<Path> model, ModelLoadOptions loadOptions, AdapterLoader adapters, Device device,
        TorchSettings torch) {
    /// Relative tolerances of half precision.
    private static final double FLOAT16_TOLERANCE = 0.02;
    private static final double BFLOAT16_TOLERANCE = 0.05;

    /// Reads adapters for a model.
    public interface AdapterLoader {
        List<WeightedAdapter> load(DiffusionModel model) throws Failure;
    }

    /// @throws Failure.Unsupported if nothing in the golden is supported
    public Verification verify(Path golden) throws Failure {
        try {
            return verifyByKind(golden);
        } catch (RuntimeException error) { // names, shapes and values of a damaged golden may be anything
            throw new Failure.Unreadable(golden + ": damaged: its tensors and metadata do not match ("
                    + SafeText.of(error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage())
                    + "); restore the file", error);
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
                    + (name.endsWith(".png") ? "; use the .safetensors file beside this image" : ""));
        }
        try (SafetensorsFile file = SafetensorsFile.open(golden)) {
            if (ImageGolden.recognizes(file))
                return verifyWithOnnx(golden, defaultModel(),
                        (model, engine) -> ImageGolden.compare(file, model, engine));
            if (Img2ImgGolden.recognizes(file))
                return verifyWithOnnx(golden,
                        Img2ImgGolden.needsInpaintingModel(file)
                                ? golden.toAbsolutePath().getParent().resolveSibling("nets/inpaint/model")
                                : defaultModel(),
                        (model, engine) -> Img2ImgGolden.compare(file, model, engine));
            if (PromptGolden.recognizes(file))
                return verifyWithOnnx(golden, defaultModel(),
                        (model, engine) -> PromptGolden.compare(file, model, engine.textEncoder()));
            if (TrainingGolden.matches(file.tensors().keySet())) return verifyTraining(golden, file);
            if (NetworkGolden.recognizes(file)) return verifyNetworks(golden, file);
            if (SamplerGolden.recognizes(file)) return Verification.of(golden, "java", SamplerGolden.verify(golden));
            if (NoiseGolden.recognizes(file)) return Verification.of(golden, "java", NoiseGolden.verify(golden));
        }
        throw new Failure.Unreadable(golden
                + ": expected a golden (network, sampler, noise, tokenizer, prompt, training, image), found other "
                + "keys");
    }

    private static Path defaultModel() throws Failure {
        return Assets.find().defaultModel();
    }

    private DiffusionModel open(Path defaultModel) throws Failure {
        return DiffusionModel.open(model.orElse(defaultModel), loadOptions);
    }

    /// Compares a golden with an engine's results on a model.
    private interface GoldenComparison {
        List<Deviation> compare(DiffusionModel model, Engine engine) throws Failure;
    }

    private Verification verifyWithOnnx(Path golden, Path defaultModel, GoldenComparison comparison) throws Failure {
        DiffusionModel opened = open(defaultModel);
        try (Engine engine = OnnxEngine.open(opened, device, torch.threads())) {
            return Verification.of(golden, engineName(), tolerated(comparison.compare(opened, engine)));
        }
    }

    private String engineName() {
        return device instanceof ProviderDevice provider ? provider.name() : "onnx";
    }

    /// With the tolerance of the device's precision. Text encoders compute in float32 on every device.
    private List<Deviation> tolerated(List<Deviation> deviations) {
        double relative = device instanceof ProviderDevice provider ? switch (provider.precision()) {
            case FLOAT32 -> 0;
            case FLOAT16 -> FLOAT16_TOLERANCE;
            case BFLOAT16 -> BFLOAT16_TOLERANCE;
        } : 0;
        return deviations.stream()
                .map(deviation -> deviation.bound().measure() == Deviation.Measure.RELATIVE
                        ? deviation.withTolerance(Math.max(relative, deviation.tolerance()))
                        : deviation)
                .toList();
    }

    private Verification verifyNetworks(Path golden, SafetensorsFile file) throws Failure {
        DiffusionModel opened = open(golden.toAbsolutePath().resolveSibling("model"));
        List<WeightedAdapter> weighted = adapters.load(opened);
        List<TensorCheck> checks = new ArrayList<>();
        try (Engine engine = OnnxEngine.open(opened, device, torch.threads())) {
            checks.addAll(Verification.checks(engineName(), tolerated(NetworkGolden.compare(file, engine, weighted))));
        }
        if (device instanceof ProviderDevice) return new Verification(golden, checks, List.of());
        try (Engine engine = TorchEngine.open(opened, device, torch).networks()) {
            checks.addAll(Verification.checks("torch", NetworkGolden.compare(file, engine, weighted)));
        }
        return new Verification(golden, checks, List.of());
    }

    private Verification verifyTraining(Path golden, SafetensorsFile file) throws Failure {
        TrainingGolden.GoldenComparison result = TrainingGolden.compare(file,
                open(model.isPresent() ? model.get() : referencedModel(golden, file)), device, torch);
        return new Verification(golden, Verification.checks("torch", result.deviations()), result.unsupported());
    }

    /// The model named by a golden's metadata, relative to a folder above the golden.
    private static Path referencedModel(Path golden, SafetensorsFile file) throws Failure {
        String name = file.metadata().get("model");
        if (name == null) throw new Failure.Unreadable(golden + ": its metadata names no model; use --model");
        for (Path folder = golden.toAbsolutePath().getParent(); folder != null; folder = folder.getParent()) {
            if (Files.isDirectory(folder.resolve(name))) return folder.resolve(name);
        }
        throw new Failure.Unreadable(golden + ": its model " + SafeText.of(name)
                + " is in no folder above it; use --model");
    }

    /// The tokenizer folder: of the model, or a folder with CLIP's merges.
    private Path tokenizerFolder() throws Failure {
        Path folder = model.isPresent() ? model.get() : defaultModel();
        return Files.isDirectory(folder.resolve("tokenizer")) ? folder.resolve("tokenizer") : folder;
    }

    /// The result for one golden: deviation of each tensor on each engine, and what is not supported.
    public record Verification(Path golden, List<TensorCheck> checks, List<String> unsupported) {
        /// Deviation of a tensor on an engine (`onnx`, `torch`, or `java`).
        public record TensorCheck(String engine, Deviation deviation) {}

        static Verification of(Path golden, String engine, List<Deviation> deviations) {
            return new Verification(golden, checks(engine, deviations), List.of());
        }

        static List<TensorCheck> checks(String engine, List<Deviation> deviations) {
            return deviations.stream().map(deviation -> new TensorCheck(engine, deviation)).toList();
        }

        /// Whether every checked tensor is within its tolerance.
        public boolean isWithinTolerance() {
            return checks.stream().allMatch(check -> check.deviation().isWithinTolerance());
        }
    }
}
