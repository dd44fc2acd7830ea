package atomstudio.tuning.interop;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A tensor key of another program's adapter, split into layer and parameter.
/// Source: the files of sd-scripts, LyCORIS, diffusers, peft and cloneofsimo's lora.
/// @param layer     the layer's key with the convention's prefix, as in [KeyConvention.LayerIndex]
/// @param parameter the parameter's name, as in [AdapterKind]: LyCORIS' name, or peft's where only peft has it
public record AdapterTensorKey(String layer, String parameter) {
    private static final Pattern INDEXED_KEY = Pattern.compile("((?:unet|text_encoder):\\d{1,6}):(up|down)");
    /// LyCORIS' IA³; other keys that end in `weight` are of models.
    private static final Pattern SCALE_KEY = Pattern.compile("((?:lora_unet|lora_te\\d?|lycoris)_[^.]+)\\.weight");
    /// Raw peft state dictionaries have the adapter's name (without dots) before `weight` or `bias`, or at the end.
    private static final Pattern PEFT_MODULE_KEY = Pattern
            .compile("(.+\\.(?:lora_[A-Z]|lora_magnitude_vector|oft_R))\\.[^.]+(\\.(?:weight|bias))");
    private static final Pattern PEFT_PARAMETER_KEY = Pattern.compile(
            "(.+\\.(?:hada_\\w+|lokr_\\w+|boft_\\w+|oft_r|ia3_l|lora_E|ranknum|hra_u|vera_lambda_[bd]"
                    + "|lora_magnitude_vector))\\.[^.]+");
    private static final Map<String, String> SUFFIXES = suffixes();

    private static Map<String, String> suffixes() {
        Map<String, String> suffixes = new LinkedHashMap<>();
        suffixes.put("_lora.down.weight", AdapterKind.DOWN);
        suffixes.put("_lora.up.weight", AdapterKind.UP);
        for (String name : List.of(".lora_A", ".lora.down", ".lora_linear_layer.down"))
            suffixes.put(name + ".weight", AdapterKind.DOWN);
        for (String name : List.of(".lora_B", ".lora.up", ".lora_linear_layer.up"))
            suffixes.put(name + ".weight", AdapterKind.UP);
        suffixes.put(".lora_magnitude_vector.weight", AdapterKind.PEFT_MAGNITUDE);
        suffixes.put("." + AdapterKind.NORM_DIFF, AdapterKind.DIFF);
        suffixes.put("." + AdapterKind.NORM_DIFF_BIAS, AdapterKind.DIFF_BIAS);
        AdapterKind.allParameterNames()
                .filter(name -> !name.equals(ChannelScale.LYCORIS))
                .forEach(name -> suffixes.put("." + name, name));
        return suffixes;
    }

    /// Empty for a key that belongs to no adapter.
    public static Optional<AdapterTensorKey> parse(String key) {
        Matcher indexedMatcher = INDEXED_KEY.matcher(key);
        if (indexedMatcher.matches())
            return Optional.of(new AdapterTensorKey(indexedMatcher.group(1),
                    indexedMatcher.group(2).equals("up") ? AdapterKind.UP : AdapterKind.DOWN));
        Optional<AdapterTensorKey> direct = bySuffix(key);
        if (direct.isPresent()) return direct;
        Matcher moduleMatcher = PEFT_MODULE_KEY.matcher(key);
        if (moduleMatcher.matches()) return bySuffix(moduleMatcher.group(1) + moduleMatcher.group(2));
        Matcher parameterMatcher = PEFT_PARAMETER_KEY.matcher(key);
        if (parameterMatcher.matches()) return bySuffix(parameterMatcher.group(1));
        Matcher scaleMatcher = SCALE_KEY.matcher(key);
        return scaleMatcher.matches()
                ? Optional.of(new AdapterTensorKey(scaleMatcher.group(1), ChannelScale.LYCORIS))
                : Optional.empty();
    }

    /// The key with the layer's name in one convention, so that keys of one parameter are equal without the model's
    /// layers. LDM names, which depend on the model, stay.
    public AdapterTensorKey canonical() {
        return new AdapterTensorKey(KeyConvention.canonicalName(layer), parameter);
    }

    /// peft's and diffusers' name of a parameter.
    public static String peftName(String parameter) {
        return switch (parameter) {
            case AdapterKind.DOWN -> "lora_A.weight";
            case AdapterKind.UP -> "lora_B.weight";
            case AdapterKind.MAGNITUDE -> AdapterKind.PEFT_MAGNITUDE;
            default -> parameter;
        };
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
