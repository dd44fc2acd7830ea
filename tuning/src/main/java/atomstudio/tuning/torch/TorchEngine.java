package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Applied;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.Moments;
import atomstudio.diffusion.engine.Reach;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.Part;
import atomstudio.diffusion.ops.Adapted;
import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layers;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;

/// Runs a model on PyTorch in float32. Weights are read when a network first runs and kept until released.
/// One thread at a time; owns its native arrays and the maps of the weights.
public final class TorchEngine implements Engine {
    /// The networks, by what their weights can be released together.
    public enum Network {
        TEXT(Part.TEXT), UNET(Part.UNET), ENCODER(Part.VAE), DECODER(Part.VAE);

        private final Part part;

        Network(Part part) {
            this.part = part;
        }
    }

    private final ModelFolder model;
    private final Torch torch;
    private final EagerOps ops;
    private final Reach reach;
    private final TorchTowers towers;
    private final Map<Part, Checkpoint> checkpoints = new EnumMap<>(Part.class);
    private final Map<Network, TorchWeights> weights = new EnumMap<>(Network.class);

    private TorchEngine(ModelFolder model, Torch torch) {
        this.model = model;
        this.torch = torch;
        this.ops = torch.ops();
        this.reach = Reach.of(model);
        this.towers = new TorchTowers(model, torch);
    }

    /// @throws Failure.Incompatible when tensors are missing or of another shape, all listed
    /// @throws Failure.NoDevice when the device is not there or PyTorch cannot be loaded
    public static TorchEngine open(ModelFolder model, Device device, TorchSettings settings) throws Failure {
        TorchEngine engine = new TorchEngine(model, Torch.open(device, settings));
        try {
            for (Part part : Part.values()) engine.checkpoints.put(part, model.checkpoint(part));
            for (Network network : Network.values()) engine.weights.put(network, new TorchWeights(engine.torch, engine.checkpoint(network.part)));
            return engine;
        } catch (Failure e) {
            engine.close();
            throw e;
        }
    }

    @Override public Tensor encodeText(int[][] ids, int clipSkip, List<Applied> adapters) throws Failure {
        return run("text encoder", () -> model.text().encode(ops, adapted(Network.TEXT, reach.onText(adapters)), torch.array(ids), clipSkip - 1));
    }

    @Override public Tensor predict(Tensor latents, float[] timesteps, Tensor context, List<Applied> adapters) throws Failure {
        return run("UNet", () -> {
            Layers<NDArray> layers = adapted(Network.UNET, reach.onUnet(adapters));
            return model.unet().predict(ops, layers, torch.array(latents), torch.array(model.unet().time().of(timesteps)), torch.array(context));
        });
    }

    private Layers<NDArray> adapted(Network network, List<Applied> adapters) {
        List<Adapted.Bound<NDArray>> bound = new ArrayList<>();
        for (Applied applied : adapters) bound.add(bind(applied));
        return new Adapted<>(ops, layers(network), bound);
    }

    private Adapted.Bound<NDArray> bind(Applied applied) {
        Map<String, Tensor> values = applied.adapter().values();
        NDArray strength = torch.array(Tensor.filled(Shape.of(1), (float) applied.strength()));
        return new Adapted.Bound<>(applied.adapter().form(), layer -> slot -> torch.array(values.get(layer.name() + "." + slot)), strength);
    }

    @Override public Tensor decode(Tensor latents) throws Failure {
        return run("decoder", () -> model.vae().decode(ops, layers(Network.DECODER), torch.array(latents)));
    }

    @Override public Tensor decodeHead(Tensor latents, int levels) throws Failure {
        return run("decoder", () -> model.vae().decodeHead(ops, layers(Network.DECODER), torch.array(latents), levels));
    }

    @Override public Tensor decodeTile(Tensor features, int level, List<Affine<Tensor>> norms) throws Failure {
        return run("decoder", () -> {
            List<Affine<NDArray>> known = norms.stream().map(norm -> new Affine<>(torch.array(norm.weight()), torch.array(Objects.requireNonNull(norm.bias())))).toList();
            return model.vae().decodeTile(ops, layers(Network.DECODER), torch.array(features), level, known);
        });
    }

    @Override public Moments encode(Tensor pictures) throws Failure {
        return Moments.of(run("encoder", () -> model.vae().encode(ops, layers(Network.ENCODER), torch.array(pictures))));
    }

    @Override public Tensor embedPictures(Tensor pictures) throws Failure {
        return run("vision tower", towers.pictures(pictures));
    }

    @Override public Tensor embedText(int[][] ids) throws Failure {
        return run("text encoder", towers.texts(ids));
    }

    /// Frees a network's weights; they are read again should it run again.
    public void release(Network network) {
        layers(network).close();
    }

    /// Differentiates the UNet by the numbers that a method brings.
    public Differentiation differentiation(DifferentiationInput input) {
        return new Differentiation(this, input);
    }

    /// A tensor of the base model's UNet or text encoder.
    public Tensor tensor(String key) {
        return checkpoint(Part.ofTunable(key)).read(key);
    }

    /// Threads that one operation may use.
    public int threads() {
        return torch.threads();
    }

    ModelFolder model() {
        return model;
    }

    Torch torch() {
        return torch;
    }

    TorchWeights layers(Network network) {
        TorchWeights found = weights.get(network);
        if (found == null) throw new IllegalStateException("the engine is closed");
        return found;
    }

    private Checkpoint checkpoint(Part part) {
        Checkpoint found = checkpoints.get(part);
        if (found == null) throw new IllegalStateException("the engine is closed");
        return found;
    }

    private Tensor run(String what, Supplier<NDArray> network) throws Failure {
        return NativeFailures.guard(what, () -> {
            try (TorchScope scope = torch.scope(Recording.OFF)) {
                return torch.tensor(network.get());
            }
        });
    }

    @Override public void close() {
        weights.values().forEach(TorchWeights::close);
        weights.clear();
        towers.close();
        torch.close();
        checkpoints.values().forEach(Checkpoint::close);
        checkpoints.clear();
    }
}
