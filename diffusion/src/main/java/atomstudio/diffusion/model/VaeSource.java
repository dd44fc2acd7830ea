package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.tensor.TensorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/// The autoencoder of a model, or its replacement (`--vae`).
record VaeSource(Vae network, WeightLocation weights) {
    /// Opens a component folder or model folder in diffusers' layout, or a file with an autoencoder or a complete
    /// model, with LDM or diffusers names.
    static VaeSource open(Path path) throws Failure {
        if (Files.isRegularFile(path)) return ofFile(path);
        if (Files.isRegularFile(path.resolve("model_index.json")))
            return ofFolder(path.resolve(ModelComponent.VAE.folder()));
        if (Files.isRegularFile(path.resolve("config.json"))) return ofFolder(path);
        throw new Failure.Unreadable(
                path + ": expected an autoencoder: a file, a folder with config.json, or a model folder; found "
                        + (Files.isDirectory(path) ? "a folder without any" : "nothing"));
    }

    static VaeSource ofFolder(Path folder) throws Failure {
        return new VaeSource(NetworkFactory.vae(ModelConfig.read(folder.resolve("config.json"))),
                new WeightLocation.InFolder(folder,
                        WeightLocation.KeyMapping.renaming(ModelComponent.VAE::diffusersKey)));
    }

    private static VaeSource ofFile(Path file) throws Failure {
        try (TensorFile tensors = TensorFile.open(file)) {
            return of(tensors, Sidecar.of(file, tensors.metadata()));
        }
    }

    static VaeSource of(TensorFile tensors, Sidecar sidecar) throws Failure {
        Path file = tensors.file();
        Set<String> names = tensors.tensors().keySet();
        String prefix = names.stream().anyMatch(name -> name.startsWith(LdmLayout.VAE_PREFIX)) ? LdmLayout.VAE_PREFIX
                : "";
        if (!tensors.has(prefix + "decoder.conv_in.weight") || !tensors.has(prefix + "encoder.conv_in.weight")) {
            boolean isTiny = TinyAutoencoder.isTinyDecoder(names);
            boolean isModel = names.stream().anyMatch(name -> name.startsWith(LdmLayout.UNET_PREFIX));
            throw new Failure.Incompatible(file + ": has no autoencoder (expected tensors " + prefix
                    + "encoder.… and " + prefix + "decoder.…)"
                    + (isTiny ? "; it is a tiny autoencoder for previews: use it with --preview"
                            : isModel ? "; give one with --vae" : ""));
        }
        WeightLocation.KeyMapping mapping = LdmLayout.vae(names, prefix);
        Path configFile = file.toAbsolutePath().resolveSibling("config.json");
        boolean hasConfigFile = prefix.isEmpty() && Files.isRegularFile(configFile)
                && ModelConfig.read(configFile).string("_class_name", "").equals("AutoencoderKL");
        ModelConfig vaeConfig = hasConfigFile ? ModelConfig.read(configFile)
                : sidecar.mergedConfig(ModelComponent.VAE.folder(),
                        new InferredConfigs(file, LdmLayout.shapes(tensors.tensors().values(), mapping)).vae());
        return new VaeSource(NetworkFactory.vae(vaeConfig), new WeightLocation.InFile(file, mapping));
    }
}
