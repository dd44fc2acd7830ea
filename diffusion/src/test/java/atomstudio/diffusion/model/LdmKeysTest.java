package atomstudio.diffusion.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The key mapping of Stable Diffusion 1's UNet: two residual blocks per level, attention in all levels but the lowest.
class LdmKeysTest {
    private static final int BLOCKS = 2;
    private static final LdmKeys.FromDiffusers MAPPING = new LdmKeys.FromDiffusers(
            List.of("down_blocks.0.resnets.0.conv1", "down_blocks.0.resnets.1.conv1", "up_blocks.0.resnets.0.conv1",
                    "up_blocks.1.attentions.0.proj_in", "up_blocks.2.attentions.0.proj_in",
                    "up_blocks.3.attentions.0.proj_in"));

    @ParameterizedTest
    @CsvSource({"conv_in,input_blocks.0.0", "time_embedding.linear_1,time_embed.0",
            "time_embedding.linear_2,time_embed.2", "conv_norm_out,out.0", "conv_out,out.2",
            "down_blocks.0.resnets.0.conv1,input_blocks.1.0.in_layers.2",
            "down_blocks.0.attentions.1.proj_in,input_blocks.2.1.proj_in",
            "down_blocks.0.downsamplers.0.conv,input_blocks.3.0.op",
            "down_blocks.1.resnets.0.conv_shortcut,input_blocks.4.0.skip_connection",
            "down_blocks.2.downsamplers.0.conv,input_blocks.9.0.op",
            "down_blocks.3.resnets.1.norm2,input_blocks.11.0.out_layers.0",
            "mid_block.resnets.0.time_emb_proj,middle_block.0.emb_layers.1",
            "mid_block.resnets.1.conv2,middle_block.2.out_layers.3",
            "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0,"
                    + "middle_block.1.transformer_blocks.0.attn1.to_out.0",
            "up_blocks.0.resnets.2.norm1,output_blocks.2.0.in_layers.0",
            "up_blocks.0.upsamplers.0.conv,output_blocks.2.1.conv",
            "up_blocks.1.upsamplers.0.conv,output_blocks.5.2.conv",
            "up_blocks.2.upsamplers.0.conv,output_blocks.8.2.conv",
            "up_blocks.3.attentions.2.transformer_blocks.0.ff.net.0.proj,"
                    + "output_blocks.11.1.transformer_blocks.0.ff.net.0.proj"})
    void mapsKeysInBothDirections(String diffusers, String ldm) {
        assertEquals(ldm, MAPPING.ldmKey(diffusers));
        assertEquals(diffusers + ".weight", LdmKeys.unet(ldm + ".weight", BLOCKS));
    }

    @Test
    void keepsUnknownNames() {
        assertEquals("add_embedding.linear_1", MAPPING.ldmKey("add_embedding.linear_1"));
    }
}
