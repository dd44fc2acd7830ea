package atomstudio.tuning.foreign;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A tensor's name in another program's adapter, parted: the layer, as that program names it, and which of the layer's numbers it is.
/// Source: the files of sd-scripts, LyCORIS, diffusers, peft and cloneofsimo's lora.
/// @param layer  with the prefix of its dialect; [ForeignLayers] knows what it means
/// @param number as [AdapterKind] calls it
public record TensorName(String layer, String number) {
    private static final Pattern COUNTED = Pattern.compile("((?:unet|text_encoder):\\d{1,6}):(up|down)");
    /// Raw states of peft have the adapter's name among the parts, before `weight` and `bias` or at the end; it holds no dot.
    private static final Pattern NAMED_MODULE = Pattern.compile("(.+\\.(?:lora_[A-Z]|lora_magnitude_vector|oft_R))\\.[^.]+(\\.(?:weight|bias))");
    private static final Pattern NAMED_PARAMETER = Pattern.compile("(.+\\.(?:hada_\\w+|lokr_\\w+|boft_\\w+|oft_r|ia3_l|lora_E|ranknum|hra_u|vera_lambda_[bd]|lora_magnitude_vector))\\.[^.]+");
    private static final Map<String, String> ENDINGS = endings();

    private static Map<String, String> endings() {
        Map<String, String> endings = new LinkedHashMap<>();
        endings.put(".lora_down.weight", ForeignChange.DOWN);
        endings.put(".lora_A.weight", ForeignChange.DOWN);
        endings.put(".lora.down.weight", ForeignChange.DOWN);
        endings.put("_lora.down.weight", ForeignChange.DOWN);
        endings.put(".lora_linear_layer.down.weight", ForeignChange.DOWN);
        endings.put(".lora_up.weight", ForeignChange.UP);
        endings.put(".lora_B.weight", ForeignChange.UP);
        endings.put(".lora.up.weight", ForeignChange.UP);
        endings.put("_lora.up.weight", ForeignChange.UP);
        endings.put(".lora_linear_layer.up.weight", ForeignChange.UP);
        endings.put(".lora_mid.weight", ForeignChange.MIDDLE);
        endings.put(".alpha", ForeignChange.ALPHA);
        endings.put(".w_norm", ForeignChange.WEIGHT);
        endings.put(".b_norm", ForeignChange.BIAS);
        endings.put(".diff", ForeignChange.WEIGHT);
        endings.put(".diff_b", ForeignChange.BIAS);
        for (String each : ForeignChange.AS_NAMED) endings.put("." + each, each);
        for (String each : AdapterKind.refusedNames()) endings.put("." + each, each);
        return endings;
    }

    /// Empty for a tensor that no adapter has.
    public static Optional<TensorName> parse(String key) {
        Matcher counted = COUNTED.matcher(key);
        if (counted.matches()) return Optional.of(new TensorName(counted.group(1), counted.group(2)));
        Optional<TensorName> plain = byEnding(key);
        if (plain.isPresent()) return plain;
        Matcher module = NAMED_MODULE.matcher(key);
        if (module.matches()) return byEnding(module.group(1) + module.group(2));
        Matcher parameter = NAMED_PARAMETER.matcher(key);
        return parameter.matches() ? byEnding(parameter.group(1)) : Optional.empty();
    }

    private static Optional<TensorName> byEnding(String key) {
        for (Map.Entry<String, String> ending : ENDINGS.entrySet()) {
            if (key.endsWith(ending.getKey())) return Optional.of(new TensorName(key.substring(0, key.length() - ending.getKey().length()), ending.getValue()));
        }
        return Optional.empty();
    }
}
