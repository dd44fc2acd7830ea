package atomstudio.diffusion.model;

import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// A model folder of Stable Diffusion 1.5's shape with random weights: for figures at that size, where nobody's model
/// is needed. `java … atomstudio.diffusion.model.RandomModel FOLDER F32|F16` writes 4.3 or 2.1 GB.
public final class RandomModel {
    private static final String UNET = """
            {"_class_name": "UNet2DConditionModel", "sample_size": 64, "in_channels": 4, "out_channels": 4,
             "layers_per_block": 2,
             "block_out_channels": [320, 640, 1280, 1280], "cross_attention_dim": 768, "attention_head_dim": 8,
             "norm_num_groups": 32, "norm_eps": 1e-05,
             "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
             "DownBlock2D"],
             "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
             "act_fn": "silu", "flip_sin_to_cos": true, "freq_shift": 0, "downsample_padding": 1}""";
    private static final String VAE = """
            {"_class_name": "AutoencoderKL", "in_channels": 3, "out_channels": 3, "latent_channels": 4,
             "layers_per_block": 2, "act_fn": "silu",
             "block_out_channels": [128, 256, 512, 512], "norm_num_groups": 32, "sample_size": 512,
             "scaling_factor": 0.18215,
             "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D",
             "DownEncoderBlock2D"],
             "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"]}""";
    private static final String TEXT = """
            {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model", "hidden_act": "quick_gelu",
             "hidden_size": 768, "intermediate_size": 3072,
             "num_attention_heads": 12, "num_hidden_layers": 12, "max_position_embeddings": 77,
             "vocab_size": 49408, "layer_norm_eps": 1e-05,
             "bos_token_id": 998, "eos_token_id": 999, "pad_token_id": 999}""";
    private static final String SCHEDULER = """
            {"_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012,
             "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
             "steps_offset": 1, "set_alpha_to_one": false, "skip_prk_steps": true, "prediction_type": "epsilon"}""";
    private static final String INDEX = """
            {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"],
             "vae": ["diffusers", "AutoencoderKL"],
             "text_encoder": ["transformers", "CLIPTextModel"], "scheduler": ["diffusers", "PNDMScheduler"],
             "tokenizer": ["transformers", "CLIPTokenizer"]}""";

    /// How numbers are kept.
    public enum Precision { F32, F16 }

    private RandomModel() {}

    public static void main(String[] arguments) throws Exception {
        make(Path.of(arguments[0]), Precision.valueOf(arguments[1]));
    }

    public static DiffusionModel make(Path folder, Precision precision) throws Exception {
        TinyModel.tokenizer(folder);
        Map<String, String> files = Map.of("model_index.json", INDEX, "unet/config.json", UNET, "vae/config.json", VAE,
                "text_encoder/config.json", TEXT, "scheduler/scheduler_config.json", SCHEDULER);
        for (Map.Entry<String, String> file : files.entrySet()) {
            Files.createDirectories(folder.resolve(file.getKey()).getParent());
            Files.writeString(folder.resolve(file.getKey()), file.getValue());
        }
        DiffusionModel model = DiffusionModel.open(folder);
        for (Component part : List.of(Component.UNET, Component.VAE, Component.TEXT_ENCODER)) {
            Path file = folder.resolve(part.folder())
                    .resolve(part.equals(Component.TEXT_ENCODER) ? "model.safetensors"
                            : "diffusion_pytorch_model.safetensors");
            write(file, tensors(model.layers(part)), precision);
        }
        return model;
    }

    private record Numbers(Shape shape, double mean, double spread) {}

    /// Weights that keep a signal's size, norms of ones, small biases.
    private static Map<String, Numbers> tensors(List<Layer> layers) {
        Map<String, Numbers> tensors = new LinkedHashMap<>();
        for (Layer layer : layers) {
            double spread = layer.kind() == Layer.Kind.NORM ? 0
                    : Math.sqrt(3.0 * layer.weightShape().size(0) / layer.weightShape().elements());
            tensors.put(layer.weightKey(),
                    new Numbers(layer.weightShape(), layer.kind() == Layer.Kind.NORM ? 1 : 0, spread));
            if (layer.hasBias()) tensors.put(layer.biasKey(), new Numbers(layer.biasShape(), 0, 0.01));
        }
        return tensors;
    }

    private static void write(Path file, Map<String, Numbers> tensors, Precision precision) throws Exception {
        int width = precision == Precision.F32 ? 4 : 2;
        JsonObject header = new JsonObject();
        long at = 0;
        for (Map.Entry<String, Numbers> tensor : tensors.entrySet()) {
            JsonArray shape = new JsonArray();
            for (long size : tensor.getValue().shape.sizes()) shape.add(size);
            JsonArray offsets = new JsonArray();
            offsets.add(at);
            offsets.add(at += width * tensor.getValue().shape.elements());
            JsonObject info = new JsonObject();
            info.addProperty("dtype", precision.name());
            info.add("shape", shape);
            info.add("data_offsets", offsets);
            header.add(tensor.getKey(), info);
        }
        byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
        AtomicFile.write(file, out -> {
            int padding = (64 - (8 + text.length) % 64) % 64;
            out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length + padding).array());
            out.write(text);
            out.write(" ".repeat(padding).getBytes(StandardCharsets.UTF_8));
            SplittableRandom random = new SplittableRandom(1);
            for (Numbers numbers : tensors.values()) write(out, numbers, random, width);
        });
    }

    private static void write(OutputStream out, Numbers numbers, SplittableRandom random, int width)
            throws java.io.IOException {
        ByteBuffer buffer = ByteBuffer.allocate(width << 16).order(ByteOrder.LITTLE_ENDIAN);
        for (long i = 0; i < numbers.shape.elements(); i++) {
            float number = (float) (numbers.mean + numbers.spread * (2 * random.nextDouble() - 1));
            if (width == 4) buffer.putFloat(number);
            else buffer.putShort(Float.floatToFloat16(number));
            if (buffer.hasRemaining() && i + 1 < numbers.shape.elements()) continue;
            out.write(buffer.array(), 0, buffer.position());
            buffer.clear();
        }
    }
}
