package atomstudio.diffusion.model;

import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The names that the original Stable Diffusion code gives the UNet's layers, from today's: the way back of [OriginalNames].
public final class OriginalUnetNames {
    private static final Pattern RESNET = Pattern.compile("(down|up)_blocks\\.(\\d+)\\.resnets\\.(\\d+)\\.(.+)");
    private static final Pattern ATTENTION = Pattern.compile("(down|up)_blocks\\.(\\d+)\\.attentions\\.(\\d+)\\.(.+)");
    private static final Pattern MIDDLE = Pattern.compile("mid_block\\.resnets\\.(\\d+)\\.(.+)");
    private static final Pattern DOWNSAMPLER = Pattern.compile("down_blocks\\.(\\d+)\\.downsamplers\\.0\\.conv");
    private static final Pattern UPSAMPLER = Pattern.compile("up_blocks\\.(\\d+)\\.upsamplers\\.0\\.conv");

    private final Set<String> layers;
    /// Residual blocks of a level on the way down, and the downsampler.
    private final int period;

    /// @param layers today's names of all of the UNet's layers
    public OriginalUnetNames(Collection<String> layers) {
        this.layers = new HashSet<>(layers);
        int blocks = 1;
        while (this.layers.contains("down_blocks.0.resnets." + blocks + ".conv1")) blocks++;
        this.period = blocks + 1;
    }

    /// @param layer today's name; one that the original code has no other for is left as it is
    public String of(String layer) {
        for (Map.Entry<String, String> entry : OriginalNames.UNET.entrySet()) {
            if ((layer + ".").startsWith(entry.getValue())) return within(entry.getKey(), (layer + ".").substring(entry.getValue().length()));
        }
        Matcher middle = MIDDLE.matcher(layer);
        if (middle.matches()) return "middle_block." + 2 * number(middle, 1) + "." + resnet(middle.group(2));
        Matcher resnet = RESNET.matcher(layer);
        if (resnet.matches()) return block(resnet) + ".0." + resnet(resnet.group(4));
        Matcher attention = ATTENTION.matcher(layer);
        if (attention.matches()) return block(attention) + ".1." + attention.group(4);
        Matcher down = DOWNSAMPLER.matcher(layer);
        if (down.matches()) return "input_blocks." + period * (number(down, 1) + 1) + ".0.op";
        Matcher up = UPSAMPLER.matcher(layer);
        if (!up.matches()) return layer;
        boolean attended = layers.contains("up_blocks." + number(up, 1) + ".attentions.0.proj_in");
        return "output_blocks." + (period * (number(up, 1) + 1) - 1) + (attended ? ".2" : ".1") + ".conv";
    }

    private String block(Matcher block) {
        int at = period * number(block, 2) + number(block, 3);
        return block.group(1).equals("down") ? "input_blocks." + (at + 1) : "output_blocks." + at;
    }

    private static String resnet(String rest) {
        for (Map.Entry<String, String> entry : OriginalNames.RESNET.entrySet()) {
            if (entry.getValue().equals(rest + ".")) return within(entry.getKey(), "");
        }
        return rest;
    }

    private static String within(String original, String rest) {
        return (original + rest).replaceFirst("\\.$", "");
    }

    private static int number(Matcher matcher, int group) {
        return Integer.parseInt(matcher.group(group));
    }
}
