package atomstudio.app.jobs;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// What stands between the signs of `<lora:NAME:TE:UNET>`: the first number is the text encoder's weight, the second the UNet's, which is the first where
/// it is not given; `te=` and `unet=` say the same by name. Source: AUTOMATIC1111's stable-diffusion-webui, extra_networks_lora.py.
///
/// @param name    as written, without blanks around it; may be empty
/// @param ignored what else is written there: block weights, and settings of other programs
record LoraTag(String name, double unetWeight, double textEncoderWeight, List<String> ignored) {
    private static final String TEXT_ENCODER_KEY = "te";
    private static final String UNET_KEY = "unet";
    private static final int MAX_QUOTE_LENGTH = 40;

    /// @param tag  the whole of it, for messages
    /// @param body all behind `lora:`
    /// @throws Failure.Incompatible for a weight that is no number or too large
    static LoraTag parse(String tag, String body) throws Failure {
        String[] items = body.split(":", -1);
        List<String> positional = new ArrayList<>();
        Map<String, String> named = new HashMap<>();
        List<String> ignored = new ArrayList<>();
        for (int i = 1; i < items.length; i++) {
            String item = items[i].strip();
            int equals = item.indexOf('=');
            String key = equals < 0 ? "" : item.substring(0, equals).strip().toLowerCase(Locale.ROOT);
            if (key.equals(TEXT_ENCODER_KEY) || key.equals(UNET_KEY)) named.put(key, item.substring(equals + 1).strip());
            else if (equals >= 0 || positional.size() == 2 || positional.size() == 1 && !item.isEmpty() && parseNumber(item).isEmpty()) ignored.add(item);
            else positional.add(item);
        }
        double first = weight(tag, !positional.isEmpty() ? positional.getFirst() : "", 1);
        double textEncoderWeight = weight(tag, named.getOrDefault(TEXT_ENCODER_KEY, ""), first);
        double unetWeight = weight(tag, positional.size() > 1 ? positional.get(1) : "", textEncoderWeight);
        return new LoraTag(items[0].strip(), weight(tag, named.getOrDefault(UNET_KEY, ""), unetWeight), textEncoderWeight, List.copyOf(ignored));
    }

    private static double weight(String tag, String value, double defaultWeight) throws Failure {
        if (value.isEmpty()) return defaultWeight;
        Optional<Double> weight = parseNumber(value).filter(WeightedAdapter::isValidWeight);
        if (weight.isPresent()) return weight.get();
        throw new Failure.Incompatible("the prompt has " + tag + ": expected a weight of " + -(int) WeightedAdapter.MAX_WEIGHT + " to " + (int) WeightedAdapter.MAX_WEIGHT + ", found " + value.substring(0, Math.min(MAX_QUOTE_LENGTH, value.length())));
    }

    private static Optional<Double> parseNumber(String text) {
        try {
            return Optional.of(Double.parseDouble(text));
        } catch (NumberFormatException notANumber) {
            return Optional.empty();
        }
    }
}
