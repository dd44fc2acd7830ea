package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A restricted unpickler for tensors. A pickle is a program for a stack machine that can call any Python function;
/// here it can build only dictionaries, lists, strings, numbers and tensors, and any other call fails. No code of the
/// file is run. Stack, memo and lengths are bounded by the size of the pickle and the limits below; no recursion.
/// Source: CPython, Lib/pickletools.py (opcodes); pytorch, torch/serialization.py and torch/_utils.py (what PyTorch
/// writes).
final class Unpickler {
    /// Generous: the pickle of a model with its training state is below 1 MB.
    static final long MAX_PICKLE_BYTES = 32L << 20;
    private static final int MAX_STACK = 1 << 20;
    /// Limit on dictionary keys: no tensor has a longer name, and comparing many long, similar keys is slow.
    private static final int MAX_KEY_LENGTH = 1 << 10;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED
            .withOrder(ByteOrder.BIG_ENDIAN);
    private static final PickleValue NONE = new PickleValue.Opaque("None");

    private final Path file;
    private final MemorySegment bytes;
    private final PickleFunctions functions;
    private final Map<String, PickleValue.Storage> storages = new HashMap<>();
    private final long pickleStart;
    private final List<PickleValue> stack = new ArrayList<>();
    private final List<Integer> marks = new ArrayList<>();
    private final Map<Long, PickleValue> memo = new HashMap<>();
    private long position;

    private Unpickler(Path file, MemorySegment bytes, long pickleStart) {
        this.file = file;
        this.bytes = bytes;
        this.pickleStart = pickleStart;
        this.position = pickleStart;
        this.functions = new PickleFunctions(file);
    }

    /// @param end offset after the last instruction
    /// @param storages by key
    record Result(PickleValue value, long end, Map<String, PickleValue.Storage> storages) {}

    /// @param bytes the pickle must end within them
    /// @throws Failure.Incompatible when it refers to anything but tensors and plain data
    /// @throws Failure.Unreadable when it is damaged
    static Result read(Path file, MemorySegment bytes, long pickleStart) throws Failure {
        Unpickler unpickler = new Unpickler(file, bytes, pickleStart);
        try {
            return unpickler.run();
        } catch (IndexOutOfBoundsException | ArithmeticException | IllegalArgumentException e) {
            throw new Failure.Unreadable(
                    file + ": its pickle is damaged at byte " + unpickler.position + "; download or copy it again", e);
        }
    }

    private Result run() throws Failure {
        while (true) {
            long opcodeAt = position;
            char opcode = (char) (bytes.get(ValueLayout.JAVA_BYTE, position++) & 0xFF);
            if (opcode == '.') return new Result(pop(), position, storages);
            if (!executeData(opcode) && !executeCollection(opcode) && !executeMemo(opcode) && !executeCall(opcode)) {
                throw new Failure.Incompatible(
                        file + ": its pickle has the opcode 0x" + Integer.toHexString(opcode) + " at byte "
                                + opcodeAt + ", which no model file needs; nothing was run");
            }
            if (stack.size() > MAX_STACK || marks.size() > MAX_STACK || memo.size() > MAX_STACK
                    || position - pickleStart > MAX_PICKLE_BYTES)
                throw tooLarge();
        }
    }

    /// Opcodes that push plain data.
    private boolean executeData(char opcode) throws Failure {
        switch (opcode) {
            case 0x80 -> position++; // protocol
            case 0x95 -> position += 8; // frame
            case 'N' -> push(NONE);
            case 0x88 -> push(new PickleValue.PyBool(true));
            case 0x89 -> push(new PickleValue.PyBool(false));
            case 'J' -> push(new PickleValue.PyInt((int) readUnsigned(4)));
            case 'K' -> push(new PickleValue.PyInt(readUnsigned(1)));
            case 'M' -> push(new PickleValue.PyInt(readUnsigned(2)));
            case 0x8a -> push(readInt(readUnsigned(1)));
            case 0x8b -> push(readInt(readUnsigned(4)));
            case 'G' -> {
                push(new PickleValue.PyFloat(bytes.get(DOUBLE, position)));
                position += 8;
            }
            case 0x8c, 'U' -> push(new PickleValue.PyString(readText(readUnsigned(1))));
            case 'X', 'T' -> push(new PickleValue.PyString(readText(readUnsigned(4))));
            case 0x8d -> push(new PickleValue.PyString(readText(readUnsigned(8))));
            case 'C' -> skipBytes(readUnsigned(1));
            case 'B' -> skipBytes(readUnsigned(4));
            case 0x8e, 0x96 -> skipBytes(readUnsigned(8));
            default -> {
                return false;
            }
        }
        return true;
    }

    /// Opcodes that build collections.
    private boolean executeCollection(char opcode) throws Failure {
        switch (opcode) {
            case '(' -> marks.add(stack.size());
            case ']' -> push(new PickleValue.PyList());
            case '}' -> push(new PickleValue.PyDict());
            case ')' -> push(new PickleValue.PyTuple(List.of()));
            case 0x8f -> push(new PickleValue.PyList());
            case 't' -> push(new PickleValue.PyTuple(List.copyOf(popMark())));
            case 0x85 -> push(new PickleValue.PyTuple(popLast(1)));
            case 0x86 -> push(new PickleValue.PyTuple(popLast(2)));
            case 0x87 -> push(new PickleValue.PyTuple(popLast(3)));
            case 'a' -> append(popLast(1));
            case 'e', 0x90 -> append(popMark());
            case 's' -> setItems(popLast(2));
            case 'u' -> setItems(popMark());
            case '0' -> pop();
            case '1' -> popMark();
            case '2' -> push(peek());
            default -> {
                return false;
            }
        }
        return true;
    }

    /// Opcodes that store stack values in the memo and load them.
    private boolean executeMemo(char opcode) throws Failure {
        switch (opcode) {
            case 'q' -> memo.put(readUnsigned(1), peek());
            case 'r' -> memo.put(readUnsigned(4), peek());
            case 0x94 -> memo.put((long) memo.size(), peek());
            case 'h' -> push(getMemo(readUnsigned(1)));
            case 'j' -> push(getMemo(readUnsigned(4)));
            default -> {
                return false;
            }
        }
        return true;
    }

    /// Opcodes that resolve globals, call them, and set state.
    private boolean executeCall(char opcode) throws Failure {
        switch (opcode) {
            case 'c' -> push(functions.resolveGlobal(readLine(), readLine()));
            case 0x93 -> {
                List<PickleValue> names = popLast(2);
                if (!(names.get(0) instanceof PickleValue.PyString module
                        && names.get(1) instanceof PickleValue.PyString name))
                    throw damaged();
                push(functions.resolveGlobal(module.text(), name.text()));
            }
            case 'R', 0x81 -> {
                List<PickleValue> call = popLast(2);
                push(functions.call(call.get(0), call.get(1)));
            }
            case 'b' -> functions.setState(pop(), peek());
            case 'Q' -> {
                PickleValue named = functions.loadPersistent(pop());
                if (named instanceof PickleValue.Storage storage) storages.put(checkedKey(storage.key()), storage);
                push(named);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private void append(List<PickleValue> values) throws Failure {
        switch (peek()) {
            case PickleValue.PyList list -> list.items.addAll(values);
            case PickleValue.Opaque _ -> {}
            default -> throw damaged();
        }
    }

    private void setItems(List<PickleValue> pairs) throws Failure {
        if (pairs.size() % 2 != 0) throw damaged();
        switch (peek()) {
            case PickleValue.PyDict dictionary -> {
                for (int i = 0; i < pairs.size(); i += 2) {
                    if (pairs.get(i) instanceof PickleValue.PyString(String text)) checkedKey(text);
                    dictionary.put(pairs.get(i), pairs.get(i + 1));
                }
            }
            case PickleValue.Opaque _ -> {}
            default -> throw damaged();
        }
    }

    private String checkedKey(String key) throws Failure {
        if (key.length() > MAX_KEY_LENGTH)
            throw new Failure.Incompatible(file + ": its pickle has a key of " + key.length()
                    + " characters, longer than any tensor's name: " + SafeText.of(key));
        return key;
    }

    private void push(PickleValue value) {
        stack.add(value);
    }

    private PickleValue peek() {
        if (stack.size() <= markFloor()) throw new IndexOutOfBoundsException("stack");
        return stack.getLast();
    }

    private PickleValue pop() {
        return popLast(1).getFirst();
    }

    /// Values below the last mark cannot be popped.
    private int markFloor() {
        return marks.isEmpty() ? 0 : marks.getLast();
    }

    private List<PickleValue> popLast(int count) {
        if (stack.size() - count < markFloor()) throw new IndexOutOfBoundsException("stack");
        List<PickleValue> tail = stack.subList(stack.size() - count, stack.size());
        List<PickleValue> taken = List.copyOf(tail);
        tail.clear();
        return taken;
    }

    private List<PickleValue> popMark() {
        if (marks.isEmpty()) throw new IndexOutOfBoundsException("marks");
        return popLast(stack.size() - marks.removeLast());
    }

    private PickleValue getMemo(long key) throws Failure {
        PickleValue found = memo.get(key);
        if (found == null) throw damaged();
        return found;
    }

    private long readUnsigned(int size) throws Failure {
        long value = 0;
        if (size == 8) {
            value = bytes.get(LONG, position);
            if (value < 0) throw tooLarge();
        } else if (size == 4) {
            value = bytes.get(INT, position) & 0xFFFF_FFFFL;
        } else {
            for (int i = 0; i < size; i++) value |= (bytes.get(ValueLayout.JAVA_BYTE, position + i) & 0xFFL) << (8 * i);
        }
        position += size;
        return value;
    }

    /// A two's complement integer of any length; opaque beyond 64 bits.
    private PickleValue readInt(long length) throws Failure {
        byte[] digits = readBytes(length);
        if (digits.length == 0) return new PickleValue.PyInt(0);
        if (digits.length > 8) return new PickleValue.Opaque("a large number");
        long value = digits[digits.length - 1];
        for (int i = digits.length - 2; i >= 0; i--) value = value << 8 | digits[i] & 0xFF;
        return new PickleValue.PyInt(value);
    }

    private String readText(long length) throws Failure {
        return new String(readBytes(length), StandardCharsets.UTF_8);
    }

    private void skipBytes(long length) throws Failure {
        readBytes(length);
        push(new PickleValue.Opaque("bytes"));
    }

    private byte[] readBytes(long length) throws Failure {
        if (length > MAX_PICKLE_BYTES) throw tooLarge();
        byte[] content = bytes.asSlice(position, length).toArray(ValueLayout.JAVA_BYTE);
        position += length;
        return content;
    }

    private String readLine() throws Failure {
        StringBuilder line = new StringBuilder();
        for (char c; (c = (char) readUnsigned(1)) != '\n';) {
            if (line.length() > 1000) throw damaged();
            line.append(c);
        }
        return line.toString();
    }

    private Failure.Unreadable damaged() {
        return new Failure.Unreadable(
                file + ": its pickle is damaged before byte " + position + "; download or copy it again");
    }

    private Failure.Incompatible tooLarge() {
        return new Failure.Incompatible(
                file + ": its pickle is larger than any model file needs; reading stopped at byte " + position);
    }
}
