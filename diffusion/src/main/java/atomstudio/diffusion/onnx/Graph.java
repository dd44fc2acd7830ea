package atomstudio.diffusion.onnx;

import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/// An ONNX graph being written: inputs, initializers, nodes. Field numbers are those of onnx.proto (IR version 9).
final class Graph {
    private static final int IR_VERSION = 9;
    private static final int OPSET = 17;
    private static final int EXTERNAL = 1;

    /// Element types by onnx.proto's numbers.
    enum Element {
        FLOAT(1), INT64(7), FLOAT16(10), DOUBLE(11), BFLOAT16(16);

        final int number;

        Element(int number) {
            this.number = number;
        }

        static Element of(DType dtype) {
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

    /// Operator with its attributes: Long, Float, String or long[].
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

    private final List<Message> nodes = new ArrayList<>();
    private final List<Message> initializers = new ArrayList<>();
    private final List<Message> inputs = new ArrayList<>();
    private final Map<String, Stored> stored = new HashMap<>();
    private int next;

    Value input(String name, Shape shape, Element element) {
        inputs.add(valueInfo(name, shape, element));
        return new Value(name, shape);
    }

    /// One whose first size the runtime is not told: `GraphOps.Memory.SAVED` says why.
    Value open(String name, Shape shape, Element element) {
        inputs.add(valueInfo(name, element, Arrays.stream(shape.sizes()).skip(1), new Message()));
        return new Value(name, shape);
    }

    /// Where a weight's bytes lie: a file beside the graph, and a part of it.
    record Place(String file, long offset, long bytes) {}

    private record Stored(Element element, Place place) {}

    /// A weight whose bytes stay where they are.
    Value external(String name, Shape shape, Element element, Place place) {
        Message tensor = tensor(name, shape, element);
        Map.of("location", place.file, "offset", Long.toString(place.offset), "length", Long.toString(place.bytes))
                .forEach((key, value) -> tensor.message(13, new Message().text(1, key).text(2, value)));
        initializers.add(tensor.number(14, EXTERNAL));
        stored.put(name, new Stored(element, place));
        return new Value(name, shape);
    }

    /// Equal parts along the first axis; those of a stored weight stay where they are.
    List<Value> rows(Value whole, int parts) {
        Shape shape = whole.shape().with(0, whole.shape().size(0) / parts);
        Stored found = stored.get(whole.name());
        if (found == null) return node(Operator.of("Split", Map.of("axis", 0L)), Collections.nCopies(parts, shape), whole);
        long bytes = found.place.bytes / parts;
        return IntStream.range(0, parts).mapToObj(i -> external(whole.name() + "/" + i, shape, found.element, new Place(found.place.file, found.place.offset + i * bytes, bytes))).toList();
    }

    /// Parts along the second axis, as equal as its size allows, and no more of them than that.
    List<Value> pieces(Value whole, int most) {
        long size = whole.shape().size(1);
        int count = (int) Math.min(most, size);
        if (count < 2) return List.of(whole);
        long[] sizes = LongStream.range(0, count).map(i -> size * (i + 1) / count - size * i / count).toArray();
        List<Shape> shapes = Arrays.stream(sizes).mapToObj(part -> whole.shape().with(1, part)).toList();
        return node(Operator.of("Split", Map.of("axis", 1L)), shapes, whole, constant(sizes));
    }

    Value constant(long... values) {
        ByteBuffer raw = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (long value : values) raw.putLong(value);
        return raw(Shape.of(values.length), Element.INT64, raw.array());
    }

    Value constant(Shape shape, float[] values) {
        return constant(shape, values, Element.FLOAT);
    }

    /// @param element FLOAT or FLOAT16
    Value constant(Shape shape, float[] values, Element element) {
        ByteBuffer raw = ByteBuffer.allocate((element == Element.FLOAT16 ? 2 : 4) * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            switch (element) {
                case FLOAT -> raw.putFloat(value);
                case FLOAT16 -> raw.putShort(Float.floatToFloat16(value));
                case INT64, DOUBLE, BFLOAT16 -> throw new IllegalArgumentException("constants of " + element);
            }
        }
        return raw(shape, element, raw.array());
    }

    /// The same numbers in another element type.
    Value cast(Value value, Element to) {
        return node(Operator.of("Cast", Map.of("to", (long) to.number)), value.shape(), value);
    }

    private Value raw(Shape shape, Element element, byte[] bytes) {
        String name = "constant" + next++;
        initializers.add(tensor(name, shape, element).bytes(9, bytes));
        return new Value(name, shape);
    }

    /// One operator; an absent optional operand is null.
    Value node(Operator operator, Shape out, @Nullable Value... operands) {
        return node(operator, List.of(out), operands).getFirst();
    }

    List<Value> node(Operator operator, List<Shape> outs, @Nullable Value... operands) {
        Message node = new Message();
        for (Value operand : operands) node.text(1, operand == null ? "" : operand.name());
        List<Value> results = new ArrayList<>();
        for (Shape out : outs) {
            Value result = new Value("value" + next++, out);
            node.text(2, result.name());
            results.add(result);
        }
        node.text(3, operator.name + next).text(4, operator.name);
        operator.attributes.forEach((name, value) -> node.message(5, attribute(name, value)));
        nodes.add(node.text(7, operator.domain));
        return results;
    }

    /// The whole model as onnx.proto bytes.
    byte[] model(Value output) {
        return model(List.of(output));
    }

    /// The same with several outputs, in this order.
    byte[] model(List<Value> outputs) {
        Message graph = new Message();
        nodes.forEach(node -> graph.message(1, node));
        graph.text(2, "network");
        initializers.forEach(initializer -> graph.message(5, initializer));
        inputs.forEach(input -> graph.message(11, input));
        outputs.forEach(output -> graph.message(12, valueInfo(output.name(), output.shape(), Element.FLOAT)));
        return new Message().number(1, IR_VERSION).text(2, "Atom Studio").message(7, graph)
                .message(8, new Message().text(1, "").number(2, OPSET)).message(8, new Message().text(1, "com.microsoft").number(2, 1)).toBytes();
    }

    private static Message tensor(String name, Shape shape, Element element) {
        Message tensor = new Message();
        for (long size : shape.sizes()) tensor.number(1, size);
        return tensor.number(2, element.number).text(8, name);
    }

    private static Message valueInfo(String name, Shape shape, Element element) {
        return valueInfo(name, element, Arrays.stream(shape.sizes()));
    }

    /// @param open sizes that stand before the others and are not told
    private static Message valueInfo(String name, Element element, LongStream told, Message... open) {
        Message sizes = new Message();
        for (Message size : open) sizes.message(1, size);
        told.forEach(size -> sizes.message(1, new Message().number(1, size)));
        Message type = new Message().message(1, new Message().number(1, element.number).message(2, sizes));
        return new Message().text(1, name).message(2, type);
    }

    private static Message attribute(String name, Object value) {
        Message attribute = new Message().text(1, name);
        return switch (value) {
            case Float real -> attribute.real(2, real).number(20, 1);
            case Long whole -> attribute.number(3, whole).number(20, 2);
            case String text -> attribute.text(4, text).number(20, 3);
            case long[] wholes -> {
                for (long whole : wholes) attribute.number(8, whole);
                yield attribute.number(20, 7);
            }
            default -> throw new IllegalArgumentException(name + ": attribute of " + value.getClass());
        };
    }
}
