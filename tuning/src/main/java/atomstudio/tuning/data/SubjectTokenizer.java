package atomstudio.tuning.data;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.ParameterLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// A run's tokenizer, with the trigger word as a new token where a method adds rows to the text encoder's embedding.
/// @param classTokens token ids of the class
public record SubjectTokenizer(Tokenizer tokenizer, List<Integer> classTokens) {
    public static SubjectTokenizer of(DiffusionModel model, ParameterLayout layout, Trigger trigger) throws Failure {
        Tokenizer baseTokenizer = model.tokenizer();
        int[] ids = baseTokenizer.encode(trigger.className());
        List<Integer> classTokens = Arrays.stream(ids, 1, ids.length - 1).boxed().toList();
        Optional<ParameterLayout.LayerParameter> rows = embeddingRows(layout);
        if (rows.isEmpty()) return new SubjectTokenizer(baseTokenizer, classTokens);
        requireUsableToken(trigger);
        int first = Math.toIntExact(rows.get().layer().weightShape().size(0));
        int count = Math.toIntExact(rows.get().spec().shape().size(0));
        try {
            return new SubjectTokenizer(
                    baseTokenizer.withWord(trigger.token(), IntStream.range(first, first + count).boxed().toList()),
                    classTokens);
        } catch (IllegalArgumentException e) {
            throw new Failure.Incompatible("trigger word " + trigger.token() + ": " + e.getMessage()
                    + "; choose another trigger word");
        }
    }

    /// The components that a method trains, always including the UNet.
    public static Set<Component> components(ParameterLayout layout) {
        Set<Component> components = new TreeSet<>(Set.of(Component.UNET));
        for (ParameterLayout.LayerParameter entry : layout.trained())
            components.add(entry.layer().component());
        return components;
    }

    private static Optional<ParameterLayout.LayerParameter> embeddingRows(ParameterLayout layout) {
        return layout.trained()
                .stream()
                .filter(entry -> entry.layer().kind() == Layer.Kind.EMBEDDING && entry.spec().name().equals("rows"))
                .findFirst();
    }

    private static void requireUsableToken(Trigger trigger) throws Failure {
        if (!Tokenizer.isWord(trigger.token())) {
            throw new Failure.Incompatible("trigger word \"" + trigger.token() + "\": expected one word without white "
                    + "space, since it becomes a new token; choose another trigger word");
        }
        if (Stream.of(trigger.className().split("\\s+"))
                .anyMatch(word -> Tokenizer.isSameToken(word, trigger.token()))) {
            throw new Failure.Incompatible("trigger word \"" + trigger.token() + "\": expected another word than the "
                    + "class \"" + trigger.className() + "\", since it becomes a new token; choose another "
                    + "trigger word");
        }
    }
}
