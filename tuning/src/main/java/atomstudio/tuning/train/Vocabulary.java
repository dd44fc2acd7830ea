package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.ParameterLayout;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// How a run's words are read: what the class is made of, and what its token stands for where a method appends rows to the text
/// encoder's table.
record Vocabulary(Tokenizer tokenizer, List<Integer> classTokens) {
    static Vocabulary of(DiffusionModel model, ParameterLayout layout, Trigger words) throws Failure {
        Tokenizer plain = model.tokenizer();
        int[] framed = plain.encode(words.className());
        List<Integer> classTokens = Arrays.stream(framed, 1, framed.length - 1).boxed().toList();
        Optional<ParameterLayout.LayerParameter> rows = rows(layout);
        if (rows.isEmpty()) return new Vocabulary(plain, classTokens);
        check(words);
        int first = Math.toIntExact(rows.get().layer().weightShape().size(0));
        int count = Math.toIntExact(rows.get().spec().shape().size(0));
        try {
            return new Vocabulary(plain.withWord(words.token(), IntStream.range(first, first + count).boxed().toList()), classTokens);
        } catch (IllegalArgumentException e) {
            throw new Failure.Incompatible("token " + words.token() + ": " + e.getMessage() + "; choose another --token");
        }
    }

    /// The parts whose layers a method tunes, and the UNet in any case: the weights that the trained numbers belong to.
    static Set<ModelComponent> parts(ParameterLayout layout) {
        Set<ModelComponent> parts = EnumSet.of(ModelComponent.UNET);
        for (ParameterLayout.LayerParameter entry : layout.trained()) parts.add(ModelComponent.ofLayer(entry.layer().name()));
        return parts;
    }

    private static Optional<ParameterLayout.LayerParameter> rows(ParameterLayout layout) {
        return layout.trained().stream().filter(entry -> entry.layer().kind() == Layer.Kind.EMBEDDING && entry.spec().name().equals("rows")).findFirst();
    }

    private static void check(Trigger words) throws Failure {
        if (!Tokenizer.isWord(words.token())) {
            throw new Failure.Incompatible("token \"" + words.token() + "\": expected one word without white space, since it stands for rows of its own; choose another --token");
        }
        if (Stream.of(words.className().split("\\s+")).anyMatch(word -> Tokenizer.isSameToken(word, words.token()))) {
            throw new Failure.Incompatible("token \"" + words.token() + "\": expected another word than the class \"" + words.className() + "\", since it stands for rows of its own; choose another --token");
        }
    }
}
