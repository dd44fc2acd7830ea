package atomstudio.app.cli;

import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Converter and completion candidates of an option that takes one of a few names.
abstract class NamedValues<N> implements Iterable<String>, ITypeConverter<N> {
    private final List<String> names;
    private final Function<String, Optional<N>> parser;

    /// @param parser may accept more names than the help lists
    NamedValues(N[] constants, Function<N, String> nameOf, Function<String, Optional<N>> parser) {
        this.names = Stream.of(constants).map(nameOf).toList();
        this.parser = parser;
    }

    NamedValues(N[] constants, Function<N, String> nameOf) {
        this(constants, nameOf,
                name -> Stream.of(constants).filter(constant -> nameOf.apply(constant).equals(name)).findFirst());
    }

    @Override
    public Iterator<String> iterator() {
        return names.iterator();
    }

    @Override
    public N convert(String name) {
        return parser.apply(name)
                .orElseThrow(() -> new TypeConversionException(
                        "expected " + (names.size() > 2 ? "one of " + String.join(", ", names)
                                : String.join(" or ", names)) + ", found \"" + name + "\""));
    }
}
