package atomstudio.tuning.interop;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A tensor key of another program's adapter, split into layer and parameter.
/// Source: the files of sd-scripts, LyCORIS, diffusers, peft and cloneofsimo's lora.
/// @param layer     the layer's key with the convention's prefix, as in [KeyConvention.LayerIndex]
/// @param parameter the parameter's name, as in [AdapterKind] and [LayerDelta]
public record AdapterTensorKey(String layer, String parameter) {
    private static final Pattern INDEXED_KEY = Pattern.compile("((?:unet|text_encoder):\\d{1,6}):(up|down)");
    /// Raw peft state dictionaries have the adapter's name (without dots) before `weight` or `bias`, or at the end.
    private static final Pattern PEFT_MODULE_KEY = Pattern
            .compile("(.+\\.(?:lora_[A-Z]|lora_magnitude_vector|oft_R))\\.[^.]+(\\.(?:weight|bias))");
    private static final Pattern PEFT_PARAMETER_KEY = Pattern.compile(
            "(.+\\.(?:hada_\\w+|lokr_\\w+|boft_\\w+|oft_r|ia3_l|lora_E|ranknum|hra_u|vera_lambda_[bd]"
                    + "|lora_magnitude_vector))\\.[^.]+");
    private static final Map<String, String> SUFFIXES = suffixes();

    private static Map<String, String> suffixes() {
        Map<String, String> suffixes = new LinkedHashMap<>();
        suffixes.put(".lora_down.weight", LayerDelta.DOWN);
        suffixes.put(".lora_A.weight", LayerDelta.DOWN);
        suffixes.put(".lora.down.weight", LayerDelta.DOWN);
        suffixes.put("_lora.down.weight", LayerDelta.DOWN);
        suffixes.put(".lora_linear_layer.down.weight", LayerDelta.DOWN);
        suffixes.put(".lora_up.weight", LayerDelta.UP);
        suffixes.put(".lora_B.weight", LayerDelta.UP);
        suffixes.put(".lora.up.weight", LayerDelta.UP);
        suffixes.put("_lora.up.weight", LayerDelta.UP);
        suffixes.put(".lora_linear_layer.up.weight", LayerDelta.UP);
        suffixes.put(".lora_mid.weight", LayerDelta.MID);
        suffixes.put(".alpha", LayerDelta.ALPHA);
        suffixes.put(".w_norm", LayerDelta.DIFF);
        suffixes.put(".b_norm", LayerDelta.DIFF_BIAS);
        suffixes.put(".diff", LayerDelta.DIFF);
        suffixes.put(".diff_b", LayerDelta.DIFF_BIAS);
        for (String each : LayerDelta.VERBATIM_NAMES) suffixes.put("." + each, each);
        for (String each : AdapterKind.unsupportedParameterNames()) suffixes.put("." + each, each);
        return suffixes;
    }

    /// Empty for a key that belongs to no adapter.
    public static Optional<AdapterTensorKey> parse(String key) {
        Matcher indexedMatcher = INDEXED_KEY.matcher(key);
        if (indexedMatcher.matches())
            return Optional.of(new AdapterTensorKey(indexedMatcher.group(1), indexedMatcher.group(2)));
        Optional<AdapterTensorKey> direct = bySuffix(key);
        if (direct.isPresent()) return direct;
        Matcher moduleMatcher = PEFT_MODULE_KEY.matcher(key);
        if (moduleMatcher.matches()) return bySuffix(moduleMatcher.group(1) + moduleMatcher.group(2));
        Matcher parameterMatcher = PEFT_PARAMETER_KEY.matcher(key);
        return parameterMatcher.matches() ? bySuffix(parameterMatcher.group(1)) : Optional.empty();
    }

    private static Optional<AdapterTensorKey> bySuffix(String key) {
        for (Map.Entry<String, String> suffix : SUFFIXES.entrySet()) {
            if (key.endsWith(suffix.getKey()))
                return Optional.of(new AdapterTensorKey(key.substring(0, key.length() - suffix.getKey().length()),
                        suffix.getValue()));
        }
        return Optional.empty();
    }
}
