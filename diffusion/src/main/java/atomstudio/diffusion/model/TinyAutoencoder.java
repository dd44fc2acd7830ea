package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.TaesdDecoder;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerRecorder;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.TensorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A TAESD decoder for previews, from a file or folder: the published decoder, or diffusers' AutoencoderTiny.
public record TinyAutoencoder(TaesdDecoder decoder, WeightLocation weights) {
    private static final String FIRST_CONV = "1.weight";
    private static final String DIFFUSERS_PREFIX = "decoder.layers.";

    /// @throws Failure.Incompatible when it is not a TAESD decoder, or for other latents than the model's
    public static TinyAutoencoder open(Path path, DiffusionModel model) throws Failure {
        Path file = Files.isDirectory(path) ? WeightFiles.find(path).getFirst() : path;
        try (TensorFile tensors = TensorFile.open(file)) {
            Set<String> names = tensors.tensors().keySet();
            if (!isTinyDecoder(names)) {
                throw new Failure.Incompatible(path
                        + ": is not a decoder for previews: expected taesd_decoder.safetensors (or .pth), "
                        + "or diffusers' AutoencoderTiny, found "
                        + (names.stream().anyMatch(name -> name.startsWith("0.")) ? "an encoder" : "other tensors"));
            }
            WeightLocation.KeyMapping mapping = WeightLocation.KeyMapping.renaming(TinyAutoencoder::publishedKey);
            Map<String, Shape> shapes = LdmLayout.shapes(tensors.tensors().values(), mapping);
            Shape first = shapes.get(FIRST_CONV);
            if (first == null || first.rank() != 4)
                throw new Failure.Incompatible(
                        path + ": " + FIRST_CONV + ": expected the weight of a convolution, found " + first);
            int latentChannels = Math.toIntExact(first.size(1));
            if (latentChannels != model.vae().latentChannels()) {
                throw new Failure.Incompatible(path + ": decodes latents of " + latentChannels + " channels, but "
                        + model.name() + " has " + model.vae().latentChannels()
                        + "; get the TAESD for Stable Diffusion 1.x and 2.x");
            }
            return new TinyAutoencoder(
                    new TaesdDecoder(latentChannels, model.vae().imageChannels(), Math.toIntExact(first.size(0))),
                    new WeightLocation.InFile(file, mapping));
        }
    }

    /// Whether tensors of these names include a TAESD decoder.
    static boolean isTinyDecoder(Set<String> names) {
        return names.contains(FIRST_CONV) && names.contains("3.conv.0.weight")
                || names.contains(DIFFUSERS_PREFIX + "2.conv.0.weight");
    }

    /// Maps to the published names. diffusers clamps outside the layer sequence, so its indices are one lower.
    private static String publishedKey(String key) {
        String name = key.startsWith("decoder.") ? key.substring("decoder.".length()) : key;
        if (!name.startsWith("layers.")) return key.startsWith("decoder.") ? name : key;
        String[] parts = name.split("\\.", 3);
        return parts.length == 3 && parts[1].matches("\\d{1,3}") ? Integer.parseInt(parts[1]) + 1 + "." + parts[2]
                : key;
    }

    public List<Layer> layers() {
        return LayerRecorder
                .layers((ops, layers) -> decoder.decode(ops, layers, Shape.of(1, decoder.latentChannels(), 1, 1)));
    }

    /// Maps the weights and checks that they are complete; the caller closes the checkpoint.
    public Checkpoint openCheckpoint() throws Failure {
        return Checkpoint.open(weights, layers());
    }
}
