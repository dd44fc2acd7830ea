package atomstudio.diffusion.model;

import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The names that the original Stable Diffusion code gives the UNet's layers, from today's: the way back of [LdmKeys].
public final class FromDiffusers {
    private static final Pattern RESNET_LAYER = Pattern.compile("(down|up)_blocks\\.(\\d+)\\.resnets\\.(\\d+)\\.(.+)");
    private static final Pattern ATTENTION_LAYER = Pattern.compile("(down|up)_blocks\\.(\\d+)\\.attentions\\.(\\d+)\\.(.+)");
    private static final Pattern MID_RESNET_LAYER = Pattern.compile("mid_block\\.resnets\\.(\\d+)\\.(.+)");
    private static final Pattern DOWNSAMPLER_LAYER = Pattern.compile("down_blocks\\.(\\d+)\\.downsamplers\\.0\\.conv");
    private static final Pattern UPSAMPLER_LAYER = Pattern.compile("up_blocks\\.(\\d+)\\.upsamplers\\.0\\.conv");

    private final Set<String> layers;
    /// Residual blocks of a level on the way down, and the downsampler.
    private final int blocksPerLevel;

    /// @param layers today's names of all of the UNet's layers
    public FromDiffusers(Collection<String> layers) {
        this.layers = new HashSet<>(layers);
        int blocks = 1;
        while (this.layers.contains("down_blocks.0.resnets." + blocks + ".conv1")) blocks++;
        this.blocksPerLevel = blocks + 1;
    }

    /// @param layer today's name; one that the original code has no other for is left as it is
    public String ldmKey(String layer) {
        for (Map.Entry<String, String> entry : LdmKeys.UNET_PREFIXES.entrySet()) {
            if ((layer + ".").startsWith(entry.getValue())) return join(entry.getKey(), (layer + ".").substring(entry.getValue().length()));
        }
        Matcher mid = MID_RESNET_LAYER.matcher(layer);
        if (mid.matches()) return "middle_block." + 2 * number(mid, 1) + "." + resnet(mid.group(2));
        Matcher resnet = RESNET_LAYER.matcher(layer);
        if (resnet.matches()) return block(resnet) + ".0." + resnet(resnet.group(4));
        Matcher attention = ATTENTION_LAYER.matcher(layer);
        if (attention.matches()) return block(attention) + ".1." + attention.group(4);
        Matcher down = DOWNSAMPLER_LAYER.matcher(layer);
        if (down.matches()) return "input_blocks." + blocksPerLevel * (number(down, 1) + 1) + ".0.op";
        Matcher up = UPSAMPLER_LAYER.matcher(layer);
        if (!up.matches()) return layer;
        boolean hasAttention = layers.contains("up_blocks." + number(up, 1) + ".attentions.0.proj_in");
        return "output_blocks." + (blocksPerLevel * (number(up, 1) + 1) - 1) + (hasAttention ? ".2" : ".1") + ".conv";
    }

    private String block(Matcher block) {
        int index = blocksPerLevel * number(block, 2) + number(block, 3);
        return block.group(1).equals("down") ? "input_blocks." + (index + 1) : "output_blocks." + index;
    }

    private static String resnet(String rest) {
        for (Map.Entry<String, String> entry : LdmKeys.RESNET_PREFIXES.entrySet()) {
            if (entry.getValue().equals(rest + ".")) return join(entry.getKey(), "");
        }
        return rest;
    }

    private static String join(String prefix, String rest) {
        return (prefix + rest).replaceFirst("\\.$", "");
    }

    private static int number(Matcher matcher, int group) {
        return Integer.parseInt(matcher.group(group));
    }
}
