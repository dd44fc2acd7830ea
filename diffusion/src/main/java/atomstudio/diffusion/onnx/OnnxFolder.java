package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.net.UNet.SinusoidalEmbedding;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.onnx.Graph.Operator;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.tensor.Shape;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// A model as ONNX files for other programs on ONNX Runtime, with the names of diffusers' and optimum's exports:
/// `unet/model.onnx` (sample, timestep, encoder_hidden_states -> out_sample), `text_encoder` (input_ids ->
/// last_hidden_state), `vae_decoder` (latent_sample -> sample) and `vae_encoder` (sample -> latent_parameters: mean and
/// log variance). The batch is dynamic; height and width are those of the model. Weights stay in safetensors files
/// beside the graphs, which refer to them as external data. Attention and activations use ONNX Runtime's operators
/// (domain com.microsoft).
/// Source: diffusers, `scripts/convert_stable_diffusion_checkpoint_to_onnx.py`; optimum,
/// `exporters/onnx/model_configs`.
public final class OnnxFolder {
    private static final GraphOptions OPTIONS = new GraphOptions(GraphOptions.MemoryMode.LOW, ElementType.FLOAT,
            GraphOptions.AttentionKernel.FUSED, GraphOptions.ConvolutionAlgorithm.DIRECT);
    private static final String FILE = "model.onnx";
    private static final List<String> VAE_PARTS = List.of("vae_decoder", "vae_encoder");

    private final Path folder;
    private final DiffusionModel model;

    private OnnxFolder(Path folder) throws Failure {
        this.folder = folder;
        model = DiffusionModel.open(folder);
    }

    /// Turns a folder in diffusers' layout into one with ONNX files. The weights of the autoencoder are then there
    /// twice: ONNX Runtime reads external data of a graph's own folder only.
    public static void convert(Path folder) throws Failure {
        OnnxFolder converted = new OnnxFolder(folder);
        try {
            converted.writeUnet();
            converted.writeTextEncoder();
            converted.writeVae();
            converted.writeIndex();
        } catch (IOException e) {
            throw new Failure.Unwritable(folder + ": the ONNX files cannot be written: " + e.getMessage(), e);
        }
    }

    private void writeUnet() throws Failure, IOException {
        UNet unet = model.unet();
        long side = model.sampleSize();
        try (Checkpoint checkpoint = model.openCheckpoint(Component.UNET)) {
            GraphOps ops = new GraphOps(new Graph(), OPTIONS);
            Graph.Value sample = ops.input("sample", Shape.of(1, unet.channels().in(), side, side));
            Graph.Value timestep = ops.graph().input("timestep", Shape.of(1), ElementType.FLOAT);
            Graph.Value context = ops.input("encoder_hidden_states",
                    Shape.of(1, model.textEncoder().maxTokens(), unet.crossAttentionDim()));
            Graph.Value output = unet.forward(ops, new GraphWeights(ops.graph(), checkpoint), sample,
                    timeFeatures(ops, unet.timeProjection(), timestep), context);
            write("unet", ops.graph().modelWithDynamicBatch("out_sample", output));
        }
    }

    /// As [SinusoidalEmbedding#embed], for one timestep of the whole batch.
    private static Graph.Value timeFeatures(GraphOps ops, SinusoidalEmbedding embedding, Graph.Value timestep) {
        float[] frequencies = embedding.frequencies();
        Graph.Value angles = ops.multiply(ops.reshape(timestep, Shape.of(1, 1)),
                ops.constant(Shape.of(1, frequencies.length), frequencies));
        Graph.Value sine = ops.graph().node(Operator.of("Sin"), angles.shape(), angles);
        Graph.Value cosine = ops.graph().node(Operator.of("Cos"), angles.shape(), angles);
        boolean sineFirst = embedding.order() == SinusoidalEmbedding.Order.SINE_COSINE;
        return ops.concat(sineFirst ? sine : cosine, sineFirst ? cosine : sine, 1);
    }

    private void writeTextEncoder() throws Failure, IOException {
        ClipTextModel encoder = model.textEncoder();
        try (Checkpoint checkpoint = model.openCheckpoint(Component.TEXT_ENCODER)) {
            GraphOps ops = new GraphOps(new Graph(), OPTIONS);
            Graph.Value ids = ops.graph()
                    .inputWithDynamicBatch("input_ids", Shape.of(1, encoder.maxTokens()), ElementType.INT32);
            Graph.Value output = encoder.encode(ops, new GraphWeights(ops.graph(), checkpoint), ids, 0);
            write("text_encoder", ops.graph().modelWithDynamicBatch("last_hidden_state", output));
        }
    }

    private void writeVae() throws Failure, IOException {
        for (String part : VAE_PARTS) copyVae(folder.resolve(part));
        Vae vae = model.vae();
        long side = model.sampleSize();
        long pixels = side * vae.downsamplingFactor();
        try (Checkpoint checkpoint = model.openCheckpoint(Component.VAE)) {
            GraphOps decoder = new GraphOps(new Graph(), OPTIONS);
            Graph.Value images = vae.decode(decoder, new GraphWeights(decoder.graph(), checkpoint),
                    decoder.input("latent_sample", Shape.of(1, vae.latentChannels(), side, side)));
            write("vae_decoder", decoder.graph().modelWithDynamicBatch("sample", images));
            GraphOps encoder = new GraphOps(new Graph(), OPTIONS);
            Graph.Value latents = vae.encode(encoder, new GraphWeights(encoder.graph(), checkpoint),
                    encoder.input("sample", Shape.of(1, vae.imageChannels(), pixels, pixels)));
            write("vae_encoder", encoder.graph().modelWithDynamicBatch("latent_parameters", latents));
        }
        Path replaced = folder.resolve(Component.VAE.folder());
        for (Path file : files(replaced)) Files.delete(file);
        Files.delete(replaced);
    }

    private void copyVae(Path part) throws IOException {
        Files.createDirectories(part);
        for (Path file : files(folder.resolve(Component.VAE.folder())))
            Files.copy(file, part.resolve(file.getFileName().toString()));
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    private void write(String part, byte[] graph) throws IOException {
        Files.write(folder.resolve(part).resolve(FILE), graph);
    }

    /// Names the classes that open the files; the safety checker is not exported.
    private void writeIndex() throws Failure, IOException {
        Path file = folder.resolve("model_index.json");
        JsonObject index = Json.read(file).object();
        index.addProperty("_class_name", "OnnxStableDiffusionPipeline");
        index.remove("vae");
        JsonArray network = new JsonArray();
        network.add("diffusers");
        network.add("OnnxRuntimeModel");
        for (String part : Stream.concat(Stream.of("unet", "text_encoder"), VAE_PARTS.stream()).toList())
            index.add(part, network.deepCopy());
        JsonArray none = new JsonArray();
        none.add(JsonNull.INSTANCE);
        none.add(JsonNull.INSTANCE);
        for (String left : List.of("safety_checker", "feature_extractor", "image_encoder")) {
            if (!left.equals("image_encoder")) index.add(left, none.deepCopy());
            else index.remove(left);
            Path unused = folder.resolve(left);
            if (!Files.isDirectory(unused)) continue;
            for (Path each : files(unused)) Files.delete(each);
            Files.delete(unused);
        }
        index.addProperty("requires_safety_checker", false);
        Files.writeString(file,
                new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().serializeNulls().create().toJson(index)
                        + "\n");
    }
}
