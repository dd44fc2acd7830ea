package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.Network;
import atomstudio.diffusion.net.TaesdDecoder;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.TensorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A network and the location of its weights, which [#open] maps and checks. All networks are opened by it: those of a
/// model, another autoencoder, the decoder of previews, CLIP's image encoder.
public record NetworkFile<N extends Network>(N network, WeightLocation weights) {
    /// A component's folder in diffusers' layout.
    static NetworkFile<?> ofFolder(Component component, Path folder) throws Failure {
        ModelConfig config = ModelConfig.read(folder.resolve("config.json"));
        return new NetworkFile<>(NetworkFactory.network(component, config),
                WeightLocation.inFolder(component.kind(), folder));
    }

    public List<Layer> layers() {
        return network.layers();
    }

    /// Maps the weights and checks that they are complete; the caller closes the checkpoint.
    /// @throws Failure.Incompatible with a list of the missing and mismatching tensors
    public Checkpoint open() throws Failure {
        return Checkpoint.open(weights, layers());
    }

    /// Reads an autoencoder: a component folder or model folder in diffusers' layout, or a file with an autoencoder or
    /// a complete model, with LDM or diffusers names.
    static NetworkFile<?> vae(Path path) throws Failure {
        if (Files.isRegularFile(path)) {
            try (TensorFile tensors = TensorFile.open(path)) {
                return vae(tensors, Sidecar.of(path, tensors.metadata()));
            }
        }
        if (Files.isRegularFile(path.resolve("model_index.json")))
            return ofFolder(Component.VAE, path.resolve(Component.VAE.folder()));
        if (Files.isRegularFile(path.resolve("config.json"))) return ofFolder(Component.VAE, path);
        throw new Failure.Unreadable(
                path + ": expected an autoencoder: a file, a folder with config.json, or a model folder; found "
                        + (Files.isDirectory(path) ? "a folder without any" : "nothing"));
    }

    static NetworkFile<Vae> vae(TensorFile tensors, Sidecar sidecar) throws Failure {
        Path file = tensors.file();
        Set<String> names = tensors.tensors().keySet();
        String prefix = names.stream().anyMatch(name -> name.startsWith(LdmLayout.VAE_PREFIX)) ? LdmLayout.VAE_PREFIX
                : "";
        if (!tensors.has(prefix + "decoder.conv_in.weight") || !tensors.has(prefix + "encoder.conv_in.weight")) {
            boolean isModel = names.stream().anyMatch(name -> name.startsWith(LdmLayout.UNET_PREFIX));
            String problem = file + ": has no autoencoder (expected tensors " + prefix + "encoder.… and " + prefix
                    + "decoder.…)";
            if (TensorFileKind.isTaesdDecoder(names))
                throw new Failure.Incompatible(problem + "; it is a tiny autoencoder for previews",
                        Failure.Remedy.USE_AS_PREVIEW_DECODER);
            throw isModel ? new Failure.Incompatible(problem, Failure.Remedy.GIVE_AUTOENCODER)
                    : new Failure.Incompatible(problem);
        }
        WeightLocation.KeyMapping mapping = LdmLayout.vae(names, prefix);
        Path configFile = file.toAbsolutePath().resolveSibling("config.json");
        boolean hasConfigFile = prefix.isEmpty() && Files.isRegularFile(configFile)
                && ModelConfig.read(configFile).string("_class_name", "").equals("AutoencoderKL");
        ModelConfig config = hasConfigFile ? ModelConfig.read(configFile)
                : sidecar.mergedConfig(Component.VAE.folder(),
                        new InferredConfigs(file, LdmLayout.shapes(tensors.tensors().values(), mapping)).vae());
        return new NetworkFile<>(NetworkFactory.vae(config), new WeightLocation.InFile(file, mapping));
    }

    /// Reads a TAESD decoder for previews, from a file or folder: the published decoder, or diffusers' AutoencoderTiny.
    /// @throws Failure.Incompatible when it is not a TAESD decoder, or for other latents than the model's
    public static NetworkFile<TaesdDecoder> taesdDecoder(Path path, DiffusionModel model) throws Failure {
        Path file = Files.isDirectory(path) ? WeightFiles.find(path).getFirst() : path;
        WeightLocation weights = new WeightLocation.InFile(file, WeightLocation.KeyMapping
                .renaming(key -> DiffusersKeys.current(Component.Kind.TAESD, key)));
        Map<String, Shape> shapes;
        try (TensorFile tensors = TensorFile.open(file)) {
            Set<String> names = tensors.tensors().keySet();
            if (!TensorFileKind.isTaesdDecoder(names)) {
                throw new Failure.Incompatible(path
                        + ": is not a decoder for previews: expected taesd_decoder.safetensors (or .pth), "
                        + "or diffusers' AutoencoderTiny, found "
                        + (names.stream().anyMatch(name -> name.startsWith("0.")) ? "an encoder" : "other tensors"));
            }
            shapes = LdmLayout.shapes(tensors.tensors().values(), weights.mapping());
        }
        Shape first = shapes.get(TensorFileKind.TAESD_FIRST_CONV);
        if (first == null || first.rank() != 4)
            throw new Failure.Incompatible(path + ": " + TensorFileKind.TAESD_FIRST_CONV
                    + ": expected the weight of a convolution, found " + first);
        int latentChannels = Math.toIntExact(first.size(1));
        if (latentChannels != model.vae().latentChannels()) {
            throw new Failure.Incompatible(path + ": decodes latents of " + latentChannels + " channels, but "
                    + model.name() + " has " + model.vae().latentChannels()
                    + "; get the TAESD for Stable Diffusion 1.x and 2.x");
        }
        return new NetworkFile<>(
                new TaesdDecoder(latentChannels, model.vae().imageChannels(), Math.toIntExact(first.size(0))), weights);
    }
}
