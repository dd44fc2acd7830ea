package atomstudio.app.desktop;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Failure.Remedy;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// A failure in the words of the window: what happened, what to do there, and the full path last.
public final class FailureText {
    /// `/models/a.safetensors: is a LoRA`: an absolute path, and what is wrong with it.
    private static final Pattern PATH_FIRST = Pattern.compile("((?:/|[A-Za-z]:\\\\)[^:\n]*): (.+)", Pattern.DOTALL);
    private static final Pattern PREDICATE = Pattern
            .compile("(?:is|are|has|have|was|were|cannot|does|holds|already|this) .*", Pattern.DOTALL);

    private FailureText() {}

    public static String of(Failure failure) {
        List<String> steps = failure.remedies().stream().map(FailureText::nextStep).toList();
        String message = failure.getMessage();
        Matcher path = PATH_FIRST.matcher(message);
        if (!path.matches()) return withSteps(message, steps);
        String what = path.group(2);
        String name = name(path.group(1));
        String reason = PREDICATE.matcher(what).matches() && !what.startsWith("already") && !what.startsWith("this ")
                ? name + " " + what
                : name + ": " + what;
        String text = withSteps(reason, steps);
        return text + (text.endsWith(".") ? " " : ". ") + "Path: " + path.group(1);
    }

    private static String name(String path) {
        Path name = Path.of(path).getFileName();
        return name == null ? path : name.toString();
    }

    private static String withSteps(String message, List<String> steps) {
        if (steps.isEmpty()) return message;
        String sentence = steps.stream().collect(Collectors.joining(", and "));
        return message + (message.endsWith(".") ? " " : ". ") + Character.toUpperCase(sentence.charAt(0))
                + sentence.substring(1) + ".";
    }

    private static String nextStep(Remedy remedy) {
        return switch (remedy) {
            case CHOOSE_MODEL -> "open the model itself on the Models page";
            case USE_AS_ADAPTER -> "add this file as an adapter on the Generate page";
            case USE_AS_AUTOENCODER ->
                    "put this file into the model's folder as vae/diffusion_pytorch_model.safetensors";
            case USE_AS_PREVIEW_DECODER -> "choose this file under “Live previews” on the Settings page";
            case GIVE_AUTOENCODER -> "open the model's folder in diffusers' layout, which has one";
            case GIVE_TOKENIZER -> "put the model's own tokenizer into its folder tokenizer";
            case CHOOSE_OTHER_FILE -> "choose another file";
            case USE_CPU -> "the CPU is used without it";
        };
    }
}
