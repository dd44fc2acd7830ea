package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectCommandTest {
    /// The UNet config of Stable Diffusion 1.5.
    private static final String SD15 = """
            {"_class_name": "UNet2DConditionModel", "act_fn": "silu", "attention_head_dim": 8,
             "block_out_channels": [320, 640, 1280, 1280], "center_input_sample": false, "cross_attention_dim": 768,
             "downsample_padding": 1, "flip_sin_to_cos": true, "freq_shift": 0,
             "down_block_types":
              ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
             "in_channels": 4, "layers_per_block": 2, "mid_block_scale_factor": 1, "norm_eps": 1e-05,
             "norm_num_groups": 32, "out_channels": 4, "sample_size": 64,
             "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]}""";

    @TempDir
    Path folder;

    @Test
    void countsStableDiffusionsParameters() throws Exception {
        Path config = Files.writeString(folder.resolve("config.json"), SD15);
        for (Path path : new Path[] {config, folder}) {
            CommandLineRun run = CommandLineRun.of(folder, "inspect", path, "--json");
            assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
            JsonObject json = JsonParser.parseString(run.out()).getAsJsonObject();
            JsonObject unet = json.getAsJsonObject("unet");
            assertEquals(686, unet.get("tensors").getAsLong());
            assertEquals(859_520_964L, unet.get("parameters").getAsLong());
            assertEquals(52, unet.get("3x3 convolutions").getAsLong());
            JsonObject parameters = json.getAsJsonObject("trainable parameters");
            assertEquals(parameters, json.getAsJsonObject("numbers tuned"));
            assertEquals(4_212, parameters.get("atoms").getAsLong());
            assertEquals(4_258, parameters.get("atoms, all convolutions").getAsLong());
            assertEquals(58_880, parameters.get("channels").getAsLong());
            assertEquals(797_184, parameters.get("lora").getAsLong());
        }
    }

    @Test
    void listsUnusedTensorsWithoutFailing() {
        CommandLineRun run = CommandLineRun.of(folder, "inspect", Shared.own("goldens/nets/sd1/model"));
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        assertTrue(run.out().contains("text_model.embeddings.position_ids"), run.out());
    }

    @Test
    void textProjectionForMetricsCountsAsUsed() {
        JsonObject embedded = JsonParser.parseString(
                CommandLineRun.of(folder, "inspect", Shared.root().resolve("assets/default-model"), "--json").out())
                .getAsJsonObject();
        assertEquals("128 dimensions", embedded.get("text projection").getAsString());
        assertEquals(null, embedded.getAsJsonObject("text_encoder").get("not used"));
    }

    @Test
    void describesTensorFiles() {
        JsonObject model = JsonParser
                .parseString(CommandLineRun.of(folder, "inspect", Shared.own("goldens/files/sd1.ckpt"), "--json").out())
                .getAsJsonObject();
        assertEquals("model", model.get("kind").getAsString());
        assertEquals("epsilon", model.get("prediction").getAsString());
        assertTrue(model.get("guessed").getAsString().contains("was inferred as epsilon"), model.toString());
        JsonObject inpainting = JsonParser
                .parseString(
                        CommandLineRun.of(folder, "inspect", Shared.own("goldens/files/inpaint.ckpt"), "--json").out())
                .getAsJsonObject();
        assertTrue(inpainting.get("inpainting").getAsString().contains("9 input channels"), inpainting.toString());
        CommandLineRun vae = CommandLineRun.of(folder, "inspect",
                Shared.own("goldens/nets/sd1/model/vae/diffusion_pytorch_model.safetensors"));
        assertTrue(vae.out().contains("autoencoder"), vae.out());
    }

    @Test
    void rejectsOtherFolders() {
        CommandLineRun run = CommandLineRun.of(folder, "inspect", folder);
        assertEquals(ExitCode.FAILED, run.exitCode());
        assertTrue(run.err().contains("expected a model folder"), run.err());
    }

    @Test
    void describesImages() throws Exception {
        for (String name : new String[] {"rgb.jpg", "lossy.webp", "frame.gif", "rgb.bmp", "lzw.tif", "palette.png"}) {
            CommandLineRun run = CommandLineRun.of(folder, "inspect", Shared.own("pictures/" + name), "--json");
            assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
            JsonObject json = JsonParser.parseString(run.out()).getAsJsonObject();
            assertEquals("picture", json.get("kind").getAsString(), name);
            assertEquals("24x16", json.get("size").getAsString(), name);
        }
        Path unnamed = Files.copy(Shared.own("pictures/rgb.jpg"), folder.resolve("no-ending"));
        assertEquals(ExitCode.SUCCESS, CommandLineRun.of(folder, "inspect", unnamed).exitCode());
        CommandLineRun apple = CommandLineRun.of(folder, "inspect", Shared.own("pictures/apple.heic"));
        assertTrue(apple.err().contains("HEIC"), apple.err());
    }

    @Test
    void rejectsADamagedImageAndListsSkippedTexts() {
        CommandLineRun wrong = CommandLineRun.of(folder, "inspect",
                Shared.file("cases/faults/png-chunk-crc-wrong.png"));
        assertEquals(ExitCode.FAILED, wrong.exitCode());
        assertTrue(wrong.err().contains("checksum"), wrong.err());
        CommandLineRun bad = CommandLineRun.of(folder, "inspect", Shared.file("cases/png-one-bad-text/bad.png"));
        assertEquals(ExitCode.SUCCESS, bad.exitCode(), bad::err);
        assertTrue(bad.out().contains("a red car") && bad.out().contains("texts left out"), bad.out());
        assertEquals(ExitCode.SUCCESS,
                CommandLineRun.of(folder, "inspect", Shared.file("cases/inspect-a-jpeg/c.gif")).exitCode());
        CommandLineRun long100k = CommandLineRun.of(folder, "inspect", Shared.file("cases/faults/a-words-100k.png"));
        assertTrue(long100k.out().contains("xxxx"), long100k.err());
    }
}
