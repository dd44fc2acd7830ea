package atomstudio.app.verify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ClipEncoders;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.LatentDistribution;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// Golden inputs and outputs of a model's networks: `unet*.sample` …, `vae*.latents` …, `text.input_ids` …,
/// `vision.pixel_values` → `vision.image_embeds`, where * is a variant like `.wide`. `text.text_embeds` is the
/// projected text embedding.
final class NetworkGolden {
    private static final double TOLERANCE = 1e-4;

    private NetworkGolden() {}

    static boolean recognizes(SafetensorsFile file) {
        return file.has("text.input_ids") || file.has("vision.pixel_values")
                || !variants(file, "unet", ".sample").isEmpty() || !variants(file, "vae", ".latents").isEmpty();
    }

    static List<Deviation> compare(SafetensorsFile golden, Engine engine, List<WeightedAdapter> adapters)
            throws Failure {
        List<Deviation> deviations = new ArrayList<>();
        for (String variant : variants(golden, "unet", ".sample")) unet(golden, engine, adapters, variant, deviations);
        for (String variant : variants(golden, "vae", ".latents")) decoder(golden, engine, variant, deviations);
        for (String variant : variants(golden, "vae", ".image")) encoder(golden, engine, variant, deviations);
        if (golden.has("text.input_ids")) text(golden, engine, adapters, deviations);
        if (golden.has("vision.pixel_values"))
            add(golden, "vision.image_embeds", clipEncoders(engine).embedImages(golden.read("vision.pixel_values")),
                    deviations);
        return deviations;
    }

    private static Set<String> variants(SafetensorsFile golden, String network, String input) {
        Set<String> variants = new TreeSet<>();
        for (String name : golden.tensors().keySet()) {
            if (name.startsWith(network) && name.endsWith(input))
                variants.add(name.substring(0, name.length() - input.length()));
        }
        return variants;
    }

    private static void unet(SafetensorsFile golden, Engine engine, List<WeightedAdapter> adapters, String name,
            List<Deviation> deviations)
            throws Failure {
        Tensor out = engine.noisePredictor()
                .predict(golden.read(name + ".sample"), golden.read(name + ".timestep").data(),
                        Conditioning.of(golden.read(name + ".encoder_hidden_states")), adapters);
        add(golden, name + ".out", out, deviations);
    }

    private static void decoder(SafetensorsFile golden, Engine engine, String name, List<Deviation> deviations)
            throws Failure {
        add(golden, name + ".decoded", engine.autoencoder().decode(golden.read(name + ".latents")), deviations);
    }

    private static void encoder(SafetensorsFile golden, Engine engine, String name, List<Deviation> deviations)
            throws Failure {
        LatentDistribution distribution = engine.autoencoder().encode(golden.read(name + ".image"));
        add(golden, name + ".mean", distribution.mean(), deviations);
        add(golden, name + ".logvar", distribution.logVariance(), deviations);
    }

    private static void text(SafetensorsFile golden, Engine engine, List<WeightedAdapter> adapters,
            List<Deviation> deviations) throws Failure {
        Tensor flat = golden.read("text.input_ids");
        int tokens = Math.toIntExact(flat.shape().size(1));
        int[][] ids = new int[Math.toIntExact(flat.shape().size(0))][tokens];
        for (int i = 0; i < flat.data().length; i++) ids[i / tokens][i % tokens] = (int) flat.data()[i];
        add(golden, "text.last_hidden_state", engine.textEncoder().encode(ids, 1, adapters), deviations);
        add(golden, "text.penultimate", engine.textEncoder().encode(ids, 2, adapters), deviations);
        if (golden.has("text.text_embeds"))
            add(golden, "text.text_embeds", clipEncoders(engine).embedText(ids), deviations);
    }

    private static ClipEncoders clipEncoders(Engine engine) throws Failure {
        return engine.clipEncoders().orElseThrow(() -> new Failure.Unsupported("this engine has no CLIP encoders"));
    }

    private static void add(SafetensorsFile golden, String name, Tensor found, List<Deviation> deviations) {
        if (golden.has(name)) deviations.add(Deviation.relative(name, golden.read(name), found, TOLERANCE));
    }
}
