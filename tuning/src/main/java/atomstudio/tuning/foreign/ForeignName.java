package atomstudio.tuning.foreign;

import atomstudio.diffusion.model.Part;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A tensor's name in another program's adapter: the layer that it means, in that program's way, and which of the layer's numbers it is.
/// Source: the files of sd-scripts, LyCORIS, diffusers, peft and cloneofsimo's lora.
/// @param number as `ForeignChange` knows it
public record ForeignName(Place place, String number) {
    /// How a layer is meant.
    public sealed interface Place {
        /// By its path, the parts joined by `_`: sd-scripts and LyCORIS.
        record Joined(Part part, String name) implements Place {}

        /// By its path: diffusers and peft.
        record Path(String name) implements Place {}

        /// By counting the linear layers of the attention: cloneofsimo.
        record Counted(Part part, int index) implements Place {}
    }

    private static final Pattern COUNTED = Pattern.compile("(unet|text_encoder):(\\d{1,6}):(up|down)");
    /// diffusers' first way: the attention's processor holds what its four layers add.
    private static final Pattern PROCESSOR = Pattern.compile("(.+)\\.processor\\.(to_q|to_k|to_v|to_out)_lora\\.(down|up)\\.weight");
    private static final Map<String, String> ENDINGS = endings();
    private static final Map<String, Part> JOINED = Map.of("lora_unet_", Part.UNET, "lora_te_", Part.TEXT);

    private static Map<String, String> endings() {
        Map<String, String> endings = new LinkedHashMap<>();
        endings.put(".lora_down.weight", ForeignChange.DOWN);
        endings.put(".lora_A.weight", ForeignChange.DOWN);
        endings.put(".lora.down.weight", ForeignChange.DOWN);
        endings.put(".lora_linear_layer.down.weight", ForeignChange.DOWN);
        endings.put(".lora_up.weight", ForeignChange.UP);
        endings.put(".lora_B.weight", ForeignChange.UP);
        endings.put(".lora.up.weight", ForeignChange.UP);
        endings.put(".lora_linear_layer.up.weight", ForeignChange.UP);
        endings.put(".lora_mid.weight", ForeignChange.MIDDLE);
        endings.put(".alpha", ForeignChange.ALPHA);
        endings.put(".w_norm", ForeignChange.WEIGHT);
        endings.put(".b_norm", ForeignChange.BIAS);
        endings.put(".diff", ForeignChange.WEIGHT);
        endings.put(".diff_b", ForeignChange.BIAS);
        for (String each : ForeignChange.AS_NAMED) endings.put("." + each, each);
        for (String each : UnreadKind.allEndings()) endings.put("." + each, each);
        return endings;
    }

    /// Empty for a tensor that no adapter has.
    public static Optional<ForeignName> parse(String key) {
        Matcher counted = COUNTED.matcher(key);
        if (counted.matches()) return Optional.of(new ForeignName(new Place.Counted(counted.group(1).equals("unet") ? Part.UNET : Part.TEXT, Integer.parseInt(counted.group(2))), counted.group(3)));
        Matcher processor = PROCESSOR.matcher(key);
        if (processor.matches()) {
            String layer = processor.group(2).equals("to_out") ? "to_out.0" : processor.group(2);
            return Optional.of(new ForeignName(new Place.Path(path(processor.group(1)) + "." + layer), processor.group(3)));
        }
        for (Map.Entry<String, String> ending : ENDINGS.entrySet()) {
            if (key.endsWith(ending.getKey())) return Optional.of(new ForeignName(place(key.substring(0, key.length() - ending.getKey().length())), ending.getValue()));
        }
        return Optional.empty();
    }

    private static Place place(String layer) {
        for (Map.Entry<String, Part> prefix : JOINED.entrySet()) {
            if (layer.startsWith(prefix.getKey())) return new Place.Joined(prefix.getValue(), layer.substring(prefix.getKey().length()));
        }
        return new Place.Path(path(layer));
    }

    private static String path(String layer) {
        return layer.replaceFirst("^(base_model\\.model\\.)?(unet\\.|text_encoder\\.)?", "");
    }
}
