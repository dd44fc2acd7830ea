package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The forms of a layer's terms A to E in [GloraTerms]. As text five letters: `lvnsv` is a low-rank A, a vector B, no
/// C, a scalar D and a vector E.
public record GloraStructure(Form a, Form b, Form c, Form d, Form e) {
    /// The forms of a term.
    public enum Form {
        LOW_RANK('l'), VECTOR('v'), SCALAR('s'), NONE('n');

        private final char letter;

        Form(char letter) {
            this.letter = letter;
        }

        private static Optional<Form> of(char letter) {
            return Stream.of(values()).filter(form -> form.letter == letter).findFirst();
        }
    }

    /// The forms of each term. Source: Chavan et al. 2023, section 3.3.
    private static final List<List<Form>> ALLOWED = List.of(
            List.of(Form.LOW_RANK, Form.VECTOR, Form.SCALAR, Form.NONE),
            List.of(Form.LOW_RANK, Form.VECTOR, Form.SCALAR, Form.NONE),
            List.of(Form.LOW_RANK, Form.VECTOR, Form.NONE),
            List.of(Form.VECTOR, Form.SCALAR, Form.NONE),
            List.of(Form.VECTOR, Form.SCALAR, Form.NONE));
    public static final int TERMS = 5;
    static final String TERM_NAMES = "ABCDE";

    /// The largest of every term, whose parameters contain those of every other structure.
    static final GloraStructure LARGEST = parse("lllvv");
    public static final GloraStructure NONE = parse("nnnnn");

    public GloraStructure {
        List<Form> forms = List.of(a, b, c, d, e);
        for (int term = 0; term < TERMS; term++)
            if (!ALLOWED.get(term).contains(forms.get(term)))
                throw new IllegalArgumentException("structure: " + TERM_NAMES.charAt(term) + ": expected one of "
                        + ALLOWED.get(term).stream().map(form -> "" + form.letter).collect(Collectors.joining(", "))
                        + ", found " + forms.get(term).letter);
    }

    private static GloraStructure of(List<Form> forms) {
        return new GloraStructure(forms.get(0), forms.get(1), forms.get(2), forms.get(3), forms.get(4));
    }

    /// @throws IllegalArgumentException that starts with the setting's name
    public static GloraStructure parse(String text) {
        List<Form> forms = text.strip()
                .chars()
                .mapToObj(letter -> Form.of((char) letter))
                .flatMap(Optional::stream)
                .toList();
        if (forms.size() != TERMS || text.strip().length() != TERMS)
            throw new IllegalArgumentException("structure: expected five letters of l (low rank), v (vector), s "
                    + "(scalar) and n (none) for A to E such as lvnsv, found \"" + text + "\"");
        return of(forms);
    }

    /// A structure of random forms, all equally probable.
    /// @param random in [0, 1), called once per term
    public static GloraStructure random(RandomNumbers random) {
        return of(ALLOWED.stream().map(allowed -> choice(allowed, random)).toList());
    }

    /// Every form drawn again with a probability.
    public GloraStructure mutated(double probability, RandomNumbers random) {
        List<Form> forms = forms();
        return of(IntStream.range(0, TERMS)
                .mapToObj(term -> random.next() < probability ? choice(ALLOWED.get(term), random) : forms.get(term))
                .toList());
    }

    private static Form choice(List<Form> allowed, RandomNumbers random) {
        return allowed.get((int) (random.next() * allowed.size()));
    }

    /// A source of numbers in [0, 1).
    @FunctionalInterface
    public interface RandomNumbers {
        double next();
    }

    /// Whether a term may be a product.
    static boolean hasLowRank(String term) {
        return ALLOWED.get(TERM_NAMES.indexOf(term)).contains(Form.LOW_RANK);
    }

    /// A layer without bias has no C, D and E: these would add one, for which a model has no place.
    public GloraStructure on(Layer layer) {
        return layer.hasBias() ? this : new GloraStructure(a, b, Form.NONE, Form.NONE, Form.NONE);
    }

    public List<Form> forms() {
        return List.of(a, b, c, d, e);
    }

    @Override
    public String toString() {
        return forms().stream().map(form -> "" + form.letter).collect(Collectors.joining());
    }
}
