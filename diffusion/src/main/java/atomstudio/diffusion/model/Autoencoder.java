package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.tensor.TensorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/// The autoencoder of a model, or one that a person puts in its place.
record Autoencoder(Vae network, Weights weights) {
    /// A folder of diffusers' layout with one part in it, a model folder, or a file: an autoencoder alone or a whole model, by the original names
    /// or by diffusers'.
    static Autoencoder at(Path place) throws Failure {
        if (Files.isRegularFile(place)) return ofFile(place);
        if (Files.isRegularFile(place.resolve("model_index.json"))) return ofFolder(place.resolve(Part.VAE.folder()));
        if (Files.isRegularFile(place.resolve("config.json"))) return ofFolder(place);
        throw new Failure.Unreadable(place + ": expected an autoencoder: a file, a folder with config.json, or a model folder; found " + (Files.isDirectory(place) ? "a folder without any" : "nothing"));
    }

    static Autoencoder ofFolder(Path folder) throws Failure {
        return new Autoencoder(NetworkConfigs.vae(Config.read(folder.resolve("config.json"))), new Weights.InFolder(folder, Naming.renaming(Part.VAE::canonical)));
    }

    private static Autoencoder ofFile(Path file) throws Failure {
        try (TensorFile tensors = TensorFile.open(file)) {
            return of(tensors, Sidecar.of(file, tensors.metadata()));
        }
    }

    static Autoencoder of(TensorFile tensors, Sidecar sidecar) throws Failure {
        Path file = tensors.file();
        Set<String> names = tensors.tensors().keySet();
        String prefix = names.stream().anyMatch(name -> name.startsWith(OriginalLayout.VAE)) ? OriginalLayout.VAE : "";
        if (!tensors.has(prefix + "decoder.conv_in.weight") || !tensors.has(prefix + "encoder.conv_in.weight")) {
            boolean tiny = TinyAutoencoder.recognizes(names);
            throw new Failure.Incompatible(file + ": holds no autoencoder (expected tensors " + prefix + "encoder.… and " + prefix + "decoder.…)"
                    + (tiny ? "; it is a tiny one for previews: give it with --preview" : names.stream().anyMatch(name -> name.startsWith(OriginalLayout.UNET)) ? "; give one with --vae" : ""));
        }
        Naming naming = OriginalLayout.vae(names, prefix);
        Path config = file.toAbsolutePath().resolveSibling("config.json");
        boolean beside = prefix.isEmpty() && Files.isRegularFile(config) && Config.read(config).text("_class_name", "").equals("AutoencoderKL");
        Config told = beside ? Config.read(config) : sidecar.over(Part.VAE.folder(), new InferredConfigs(file, OriginalLayout.shapes(tensors.tensors().values(), naming)).vae());
        return new Autoencoder(NetworkConfigs.vae(told), new Weights.InFile(file, naming));
    }
}
