package atomstudio.app.jobs;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Applied;
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
/// @param leftOut what else is written there: block weights, and settings of other programs
record AdapterTag(String name, double unet, double text, List<String> leftOut) {
    private static final String TEXT = "te";
    private static final String UNET = "unet";
    private static final int LONGEST_QUOTE = 40;

    /// @param tag  the whole of it, for messages
    /// @param said all behind `lora:`
    /// @throws Failure.Incompatible for a weight that is no number or too large
    static AdapterTag read(String tag, String said) throws Failure {
        String[] items = said.split(":", -1);
        List<String> numbers = new ArrayList<>();
        Map<String, String> named = new HashMap<>();
        List<String> leftOut = new ArrayList<>();
        for (int i = 1; i < items.length; i++) {
            String item = items[i].strip();
            int equals = item.indexOf('=');
            String key = equals < 0 ? "" : item.substring(0, equals).strip().toLowerCase(Locale.ROOT);
            if (key.equals(TEXT) || key.equals(UNET)) named.put(key, item.substring(equals + 1).strip());
            else if (equals >= 0 || numbers.size() == 2 || numbers.size() == 1 && !item.isEmpty() && number(item).isEmpty()) leftOut.add(item);
            else numbers.add(item);
        }
        double first = weight(tag, !numbers.isEmpty() ? numbers.getFirst() : "", 1);
        double text = weight(tag, named.getOrDefault(TEXT, ""), first);
        double unet = weight(tag, numbers.size() > 1 ? numbers.get(1) : "", text);
        return new AdapterTag(items[0].strip(), weight(tag, named.getOrDefault(UNET, ""), unet), text, List.copyOf(leftOut));
    }

    private static double weight(String tag, String said, double otherwise) throws Failure {
        if (said.isEmpty()) return otherwise;
        Optional<Double> weight = number(said).filter(Applied::isStrength);
        if (weight.isPresent()) return weight.get();
        throw new Failure.Incompatible("the prompt has " + tag + ": expected a weight of " + -(int) Applied.MOST_STRENGTH + " to " + (int) Applied.MOST_STRENGTH + ", found " + said.substring(0, Math.min(LONGEST_QUOTE, said.length())));
    }

    private static Optional<Double> number(String said) {
        try {
            return Optional.of(Double.parseDouble(said));
        } catch (NumberFormatException noNumber) {
            return Optional.empty();
        }
    }
}
