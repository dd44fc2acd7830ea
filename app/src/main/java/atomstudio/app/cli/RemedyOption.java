package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Failure.Remedy;
import atomstudio.tuning.config.SettingTable;
import java.util.stream.Collectors;

/// What to do about a failure, as options of the command line.
final class RemedyOption {
    private RemedyOption() {}

    /// The failure's message with what to do.
    static String message(Failure failure) {
        String steps = failure.remedies().stream().map(RemedyOption::nextStep).collect(Collectors.joining(", and "));
        String message = SettingTable.nameOptions(failure.getMessage());
        if (steps.isEmpty()) return message;
        return (message.endsWith(".") ? message.substring(0, message.length() - 1) : message) + "; " + steps;
    }

    private static String nextStep(Remedy remedy) {
        return switch (remedy) {
            case CHOOSE_MODEL -> "give the model itself with --model";
            case USE_AS_ADAPTER -> "give this file with --adapter";
            case USE_AS_AUTOENCODER -> "give this file with --vae";
            case USE_AS_PREVIEW_DECODER -> "give this file with --preview";
            case GIVE_AUTOENCODER -> "give one with --vae";
            case GIVE_TOKENIZER -> "give the folder of the model's own tokenizer with --tokenizer";
            case CHOOSE_OTHER_FILE -> "choose another file or add --overwrite";
            case USE_CPU -> "use --device cpu";
        };
    }
}
