package atomstudio.app.cli;

import atomstudio.app.cluster.Shard;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// `0/4`: the first of four shards.
final class ShardConverter implements ITypeConverter<Shard> {
    @Override
    public Shard convert(String text) {
        try {
            String[] parts = text.split("/", 2);
            return new Shard(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
        } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException error) {
            throw new TypeConversionException(
                    "expected I/N with I from 0 to N - 1, e.g. 0/4, found \"" + text + "\"");
        }
    }
}
