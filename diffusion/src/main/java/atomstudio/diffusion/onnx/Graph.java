package atomstudio.diffusion.onnx;

import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.Shape;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/// Builder of an ONNX model: inputs, initializers and nodes. Field numbers are those of onnx.proto (IR version 9).
final class Graph {
    private static final int IR_VERSION = 9;
    private static final int OPSET = 17;
    private static final int EXTERNAL_LOCATION = 1;

    /// Element types with their codes in onnx.proto.
    enum ElementType {
        FLOAT(1), INT32(6), INT64(7), FLOAT16(10), DOUBLE(11), BFLOAT16(16);

        final int code;

        ElementType(int code) {
            this.code = code;
        }

        static ElementType of(DType dtype) {
            return switch (dtype) {
                case F32 -> FLOAT;
                case F16 -> FLOAT16;
                case BF16 -> BFLOAT16;
                case F64 -> DOUBLE;
                case I64 -> INT64;
                default -> throw new IllegalArgumentException("weights of " + dtype);
            };
        }
    }

    /// An operator with its attributes, which are Long, Float, String or long[].
    record Operator(String domain, String name, Map<String, Object> attributes) {
        static Operator of(String name) {
            return new Operator("", name, Map.of());
        }

        static Operator of(String name, Map<String, Object> attributes) {
            return new Operator("", name, attributes);
        }

        static Operator microsoft(String name, Map<String, Object> attributes) {
            return new Operator("com.microsoft", name, attributes);
        }
    }

    private final List<ProtoMessage> nodes = new ArrayList<>();
    private final List<ProtoMessage> initializers = new ArrayList<>();
    private final List<ProtoMessage> inputs = new ArrayList<>();
    private final Map<String, StoredWeight> storedWeights = new HashMap<>();
    private int nextId;

    Value input(String name, Shape shape, ElementType element) {
        inputs.add(valueInfo(name, shape, element));
        return new Value(name, shape);
    }

    /// An input whose first dimension is dynamic; see [GraphOptions.MemoryMode#LOW].
    Value inputWithDynamicBatch(String name, Shape shape, ElementType element) {
        inputs.add(valueInfo(name, element, Arrays.stream(shape.sizes()).skip(1), new ProtoMessage()));
        return new Value(name, shape);
    }

    /// The location of a weight's bytes: a byte range of a file in the weights folder.
    record ExternalData(String file, long offset, long bytes) {}

    private record StoredWeight(ElementType element, ExternalData data) {}

    /// A weight that is referenced in its file, not copied.
    Value externalInitializer(String name, Shape shape, ElementType element, ExternalData data) {
        ProtoMessage tensor = tensor(name, shape, element);
        Map.of("location", data.file, "offset", Long.toString(data.offset), "length", Long.toString(data.bytes))
                .forEach((key, value) -> tensor.message(13, new ProtoMessage().string(1, key).string(2, value)));
        initializers.add(tensor.integer(14, EXTERNAL_LOCATION));
        storedWeights.put(name, new StoredWeight(element, data));
        return new Value(name, shape);
    }

    /// Splits into equal parts along the first axis; parts of an external weight are references too.
    List<Value> splitRows(Value value, int parts) {
        Shape shape = value.shape().with(0, value.shape().size(0) / parts);
        StoredWeight found = storedWeights.get(value.name());
        if (found == null)
            return node(Operator.of("Split", Map.of("axis", 0L)), Collections.nCopies(parts, shape), value);
        long bytes = found.data.bytes / parts;
        return IntStream.range(0, parts)
                .mapToObj(i -> externalInitializer(value.name() + "/" + i, shape, found.element,
                        new ExternalData(found.data.file, found.data.offset + i * bytes, bytes)))
                .toList();
    }

    /// Splits into at most `maxPieces` parts along the second axis, of sizes that differ by at most 1.
    List<Value> splitSecondAxis(Value value, int maxPieces) {
        long size = value.shape().size(1);
        int count = (int) Math.min(maxPieces, size);
        if (count < 2) return List.of(value);
        long[] sizes = LongStream.range(0, count).map(i -> size * (i + 1) / count - size * i / count).toArray();
        List<Shape> shapes = Arrays.stream(sizes).mapToObj(part -> value.shape().with(1, part)).toList();
        return node(Operator.of("Split", Map.of("axis", 1L)), shapes, value, constant(sizes));
    }

    Value constant(long... values) {
        ByteBuffer raw = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (long value : values) raw.putLong(value);
        return initializer(Shape.of(values.length), ElementType.INT64, raw.array());
    }

    Value constant(Shape shape, float[] values) {
        return constant(shape, values, ElementType.FLOAT);
    }

    /// @param element FLOAT or FLOAT16
    Value constant(Shape shape, float[] values, ElementType element) {
        ByteBuffer raw = ByteBuffer.allocate((element == ElementType.FLOAT16 ? 2 : 4) * values.length)
                .order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            switch (element) {
                case FLOAT -> raw.putFloat(value);
                case FLOAT16 -> raw.putShort(Float.floatToFloat16(value));
                case INT32, INT64, DOUBLE, BFLOAT16 -> throw new IllegalArgumentException("constants of " + element);
            }
        }
        return initializer(shape, element, raw.array());
    }

    /// The values in another element type.
    Value cast(Value value, ElementType to) {
        return node(Operator.of("Cast", Map.of("to", (long) to.code)), value.shape(), value);
    }

    private Value initializer(Shape shape, ElementType element, byte[] bytes) {
        String name = "constant" + nextId++;
        initializers.add(tensor(name, shape, element).bytes(9, bytes));
        return new Value(name, shape);
    }

    /// Adds a node with one output; an absent optional operand is null.
    Value node(Operator operator, Shape out, @Nullable Value... operands) {
        return node(operator, List.of(out), operands).getFirst();
    }

    List<Value> node(Operator operator, List<Shape> outs, @Nullable Value... operands) {
        ProtoMessage node = new ProtoMessage();
        int count = operands.length;
        while (count > 0 && operands[count - 1] == null) count--;
        for (Value operand : Arrays.copyOf(operands, count)) node.string(1, operand == null ? "" : operand.name());
        List<Value> results = new ArrayList<>();
        for (Shape out : outs) {
            Value result = new Value("value" + nextId++, out);
            node.string(2, result.name());
            results.add(result);
        }
        node.string(3, operator.name + nextId).string(4, operator.name);
        operator.attributes.forEach((name, value) -> node.message(5, attribute(name, value)));
        nodes.add(node.string(7, operator.domain));
        return results;
    }

    /// The serialized model.
    byte[] model(Value output) {
        return model(List.of(output));
    }

    /// The serialized model with several outputs, in this order.
    byte[] model(List<Value> outputs) {
        return serialized(outputs.stream()
                .map(output -> valueInfo(output.name(), output.shape(), ElementType.FLOAT))
                .toList());
    }

    private byte[] serialized(List<ProtoMessage> outputs) {
        ProtoMessage graph = new ProtoMessage();
        nodes.forEach(node -> graph.message(1, node));
        graph.string(2, "network");
        initializers.forEach(initializer -> graph.message(5, initializer));
        inputs.forEach(input -> graph.message(11, input));
        outputs.forEach(output -> graph.message(12, output));
        return new ProtoMessage().integer(1, IR_VERSION)
                .string(2, "Atom Studio")
                .message(7, graph)
                .message(8, new ProtoMessage().string(1, "").integer(2, OPSET))
                .message(8, new ProtoMessage().string(1, "com.microsoft").integer(2, 1))
                .toBytes();
    }

    /// The serialized model with one named output, whose first dimension is dynamic as that of its inputs.
    byte[] modelWithDynamicBatch(String name, Value output) {
        nodes.add(
                new ProtoMessage().string(1, output.name()).string(2, name).string(3, "output").string(4, "Identity"));
        return serialized(
                List.of(valueInfo(name, ElementType.FLOAT, Arrays.stream(output.shape().sizes()).skip(1),
                        new ProtoMessage())));
    }

    private static ProtoMessage tensor(String name, Shape shape, ElementType element) {
        ProtoMessage tensor = new ProtoMessage();
        for (long size : shape.sizes()) tensor.integer(1, size);
        return tensor.integer(2, element.code).string(8, name);
    }

    private static ProtoMessage valueInfo(String name, Shape shape, ElementType element) {
        return valueInfo(name, element, Arrays.stream(shape.sizes()));
    }

    /// @param dynamicSizes empty dimension messages before the fixed sizes
    private static ProtoMessage valueInfo(String name, ElementType element, LongStream fixedSizes,
            ProtoMessage... dynamicSizes) {
        ProtoMessage sizes = new ProtoMessage();
        for (ProtoMessage size : dynamicSizes) sizes.message(1, size);
        fixedSizes.forEach(size -> sizes.message(1, new ProtoMessage().integer(1, size)));
        ProtoMessage type = new ProtoMessage().message(1,
                new ProtoMessage().integer(1, element.code).message(2, sizes));
        return new ProtoMessage().string(1, name).message(2, type);
    }

    private static ProtoMessage attribute(String name, Object value) {
        ProtoMessage attribute = new ProtoMessage().string(1, name);
        return switch (value) {
            case Float number -> attribute.float32(2, number).integer(20, 1);
            case Long integer -> attribute.integer(3, integer).integer(20, 2);
            case String text -> attribute.string(4, text).integer(20, 3);
            case long[] integers -> {
                for (long integer : integers) attribute.integer(8, integer);
                yield attribute.integer(20, 7);
            }
            default -> throw new IllegalArgumentException(name + ": attribute of " + value.getClass());
        };
    }

    /// Writer of a protobuf message: varints, floats, bytes and nested messages by field number, the wire types that an
    /// ONNX model needs. Source: protobuf.dev, "Encoding".
    static final class ProtoMessage {
        private static final int VARINT = 0;
        private static final int LENGTH = 2;
        private static final int FIXED32 = 5;

        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        ProtoMessage integer(int field, long value) {
            tag(field, VARINT);
            varint(value);
            return this;
        }

        ProtoMessage float32(int field, float value) {
            tag(field, FIXED32);
            int bits = Float.floatToIntBits(value);
            for (int i = 0; i < 4; i++) out.write(bits >>> 8 * i);
            return this;
        }

        ProtoMessage bytes(int field, byte[] value) {
            tag(field, LENGTH);
            varint(value.length);
            out.writeBytes(value);
            return this;
        }

        ProtoMessage string(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        ProtoMessage message(int field, ProtoMessage value) {
            return bytes(field, value.toBytes());
        }

        byte[] toBytes() {
            return out.toByteArray();
        }

        private void tag(int field, int wireType) {
            varint((long) field << 3 | wireType);
        }

        private void varint(long value) {
            while ((value & ~0x7FL) != 0) {
                out.write((int) (value & 0x7F | 0x80));
                value >>>= 7;
            }
            out.write((int) value);
        }
    }

    /// A named tensor of the graph, of fixed shape.
    record Value(String name, Shape shape) {}
}
