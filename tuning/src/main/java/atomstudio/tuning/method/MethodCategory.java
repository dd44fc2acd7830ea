package atomstudio.tuning.method;

import atomstudio.tuning.method.MethodSettings.MethodName;
import java.util.List;
import java.util.stream.Stream;

/// What sort of thing a method tunes: how lists of methods are ordered for people, with a plain line for each.
public enum MethodCategory {
    FILTERS("Filter atoms"),
    LOW_RANK("Low-rank updates"),
    ROTATIONS("Rotations and directions"),
    SCALES("Scales, shifts and biases"),
    EMBEDDINGS("A word of its own"),
    FULL("Everything");

    private final String displayName;

    MethodCategory(String display) {
        this.displayName = display;
    }

    public String displayName() {
        return displayName;
    }

    /// The methods of this kind.
    public List<MethodName> methods() {
        return Stream.of(MethodName.values()).filter(choice -> of(choice) == this).toList();
    }

    public static MethodCategory of(MethodName choice) {
        return switch (choice) {
            case ATOMS, ATOMS_AND_WORD, OVERCOMPLETE, CHANNELS, ATOMS_AND_CHANNELS, OVERCOMPLETE_AND_CHANNELS ->
                    FILTERS;
            case LORA, LOCON, LOHA, LOKR, GLORA -> LOW_RANK;
            case OFT, DORA -> ROTATIONS;
            case BITFIT, NORM, SSF, DIFFFIT -> SCALES;
            case TEXTUAL_INVERSION -> EMBEDDINGS;
            case FULL -> FULL;
        };
    }

    /// What a method is for, in one line.
    public static String description(MethodName choice) {
        return switch (choice) {
            case ATOMS -> "The smallest: how filters look, not mix.";
            case ATOMS_AND_WORD -> "Recommended: fine patterns, and a word of its own for the subject.";
            case OVERCOMPLETE -> "More atoms than the filters need, for a subject that a few do not catch.";
            case CHANNELS -> "Changes how channels mix, also where there are no 3×3 filters.";
            case ATOMS_AND_CHANNELS -> "Shapes and colours, from more parameters.";
            case OVERCOMPLETE_AND_CHANNELS -> "The most that atoms can change.";
            case LORA -> "Common; most programs read its file.";
            case LOCON -> "LoRA on the convolutions too, for shapes and textures.";
            case LOHA -> "A product of two LoRAs: more change from as many numbers.";
            case LOKR -> "Kronecker products: LoRA's reach with fewer numbers.";
            case GLORA -> "LoRA that also scales and shifts what is there.";
            case OFT -> "Turns what goes into a layer; its filters keep their lengths and the angles between them.";
            case DORA -> "LoRA with length and direction apart; steadier, a little slower.";
            case BITFIT -> "Biases only: very few numbers, a mild change.";
            case NORM -> "Normalization layers only: colours and contrast more than shape.";
            case SSF -> "A scale and a shift after every layer.";
            case DIFFFIT -> "Biases, norms and a scale a layer, made for diffusion models.";
            case TEXTUAL_INVERSION -> "Learns the word and leaves the model as it is; also good beside another method.";
            case FULL -> "Every number of the network: a file as large as the model, and the most memory.";
        };
    }
}
