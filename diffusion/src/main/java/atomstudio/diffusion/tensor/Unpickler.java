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

/// Reads a pickle of tensors and nothing else. A pickle is a program for a stack machine whose instructions can call any function of Python's;
/// here they can build dictionaries, lists, texts, numbers and tensors, and every other call ends in a failure. Nothing in a file ever runs.
/// Bounded: the stack, the memo and every length by the pickle's own bytes and the limits below; no recursion.
/// Source: CPython, Lib/pickletools.py (the instructions); pytorch, torch/serialization.py and torch/_utils.py (what PyTorch writes).
final class Unpickler {
    /// The pickle of a model with its training state has less than a megabyte.
    static final long LONGEST = 32L << 20;
    private static final int MOST = 1 << 20;
    /// The longest key of a dictionary: no tensor has a longer name, and long ones that are nearly alike would be compared again and again.
    private static final int LONGEST_KEY = 1 << 10;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final Pickled NONE = new Pickled.Other("None");

    private final Path file;
    private final MemorySegment bytes;
    private final PickledCalls calls;
    private final Map<String, Pickled.Storage> storages = new HashMap<>();
    private final long from;
    private final List<Pickled> stack = new ArrayList<>();
    private final List<Integer> marks = new ArrayList<>();
    private final Map<Long, Pickled> memo = new HashMap<>();
    private long at;

    private Unpickler(Path file, MemorySegment bytes, long from) {
        this.file = file;
        this.bytes = bytes;
        this.from = from;
        this.at = from;
        this.calls = new PickledCalls(file);
    }

    /// What a pickle holds, the offset after its last instruction, and every storage that it names by its key.
    record Result(Pickled value, long end, Map<String, Pickled.Storage> storages) {}

    /// @param bytes ends where the pickle must have ended
    /// @throws Failure.Incompatible when it asks for anything but tensors and plain data
    /// @throws Failure.Unreadable when it is damaged
    static Result read(Path file, MemorySegment bytes, long from) throws Failure {
        Unpickler unpickler = new Unpickler(file, bytes, from);
        try {
            return unpickler.run();
        } catch (IndexOutOfBoundsException | ArithmeticException | IllegalArgumentException e) {
            throw new Failure.Unreadable(file + ": its pickle is damaged at byte " + unpickler.at + "; download or copy it again", e);
        }
    }

    private Result run() throws Failure {
        while (true) {
            long start = at;
            char code = (char) (bytes.get(ValueLayout.JAVA_BYTE, at++) & 0xFF);
            if (code == '.') return new Result(pop(), at, storages);
            if (!data(code) && !collection(code) && !kept(code) && !call(code)) {
                throw new Failure.Incompatible(file + ": its pickle has the instruction 0x" + Integer.toHexString(code) + " at byte " + start + ", which no file of tensors needs; nothing of it was run");
            }
            if (stack.size() > MOST || marks.size() > MOST || memo.size() > MOST || at - from > LONGEST) throw tooLarge();
        }
    }

    /// Instructions that push plain data.
    private boolean data(char code) throws Failure {
        switch (code) {
            case 0x80 -> at++;                                                  // protocol
            case 0x95 -> at += 8;                                               // frame
            case 'N' -> push(NONE);
            case 0x88 -> push(new Pickled.Flag(true));
            case 0x89 -> push(new Pickled.Flag(false));
            case 'J' -> push(new Pickled.Whole((int) number(4)));
            case 'K' -> push(new Pickled.Whole(number(1)));
            case 'M' -> push(new Pickled.Whole(number(2)));
            case 0x8a -> push(whole(number(1)));
            case 0x8b -> push(whole(number(4)));
            case 'G' -> {
                push(new Pickled.Real(bytes.get(DOUBLE, at)));
                at += 8;
            }
            case 0x8c, 'U' -> push(new Pickled.Text(text(number(1))));
            case 'X', 'T' -> push(new Pickled.Text(text(number(4))));
            case 0x8d -> push(new Pickled.Text(text(number(8))));
            case 'C' -> skip(number(1));
            case 'B' -> skip(number(4));
            case 0x8e, 0x96 -> skip(number(8));
            default -> {
                return false;
            }
        }
        return true;
    }

    /// Instructions that make collections and fill them.
    private boolean collection(char code) throws Failure {
        switch (code) {
            case '(' -> marks.add(stack.size());
            case ']' -> push(new Pickled.Items());
            case '}' -> push(new Pickled.Entries());
            case ')' -> push(new Pickled.Tuple(List.of()));
            case 0x8f -> push(new Pickled.Items());
            case 't' -> push(new Pickled.Tuple(List.copyOf(marked())));
            case 0x85 -> push(new Pickled.Tuple(last(1)));
            case 0x86 -> push(new Pickled.Tuple(last(2)));
            case 0x87 -> push(new Pickled.Tuple(last(3)));
            case 'a' -> append(last(1));
            case 'e', 0x90 -> append(marked());
            case 's' -> fill(last(2));
            case 'u' -> fill(marked());
            case '0' -> pop();
            case '1' -> marked();
            case '2' -> push(top());
            default -> {
                return false;
            }
        }
        return true;
    }

    /// Instructions that keep what is on the stack, and fetch it.
    private boolean kept(char code) throws Failure {
        switch (code) {
            case 'q' -> memo.put(number(1), top());
            case 'r' -> memo.put(number(4), top());
            case 0x94 -> memo.put((long) memo.size(), top());
            case 'h' -> push(fetch(number(1)));
            case 'j' -> push(fetch(number(4)));
            default -> {
                return false;
            }
        }
        return true;
    }

    /// Instructions that name functions, call them, and change what they made.
    private boolean call(char code) throws Failure {
        switch (code) {
            case 'c' -> push(calls.global(line(), line()));
            case 0x93 -> {
                List<Pickled> names = last(2);
                if (!(names.get(0) instanceof Pickled.Text module && names.get(1) instanceof Pickled.Text name)) throw damaged();
                push(calls.global(module.text(), name.text()));
            }
            case 'R', 0x81 -> {
                List<Pickled> call = last(2);
                push(calls.call(call.get(0), call.get(1)));
            }
            case 'b' -> calls.attributes(pop(), top());
            case 'Q' -> {
                Pickled named = calls.persistent(pop());
                if (named instanceof Pickled.Storage storage) storages.put(key(storage.key()), storage);
                push(named);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private void append(List<Pickled> values) throws Failure {
        switch (top()) {
            case Pickled.Items list -> list.items.addAll(values);
            case Pickled.Other _ -> { }
            default -> throw damaged();
        }
    }

    private void fill(List<Pickled> pairs) throws Failure {
        if (pairs.size() % 2 != 0) throw damaged();
        switch (top()) {
            case Pickled.Entries dictionary -> {
                for (int i = 0; i < pairs.size(); i += 2) {
                    if (pairs.get(i) instanceof Pickled.Text(String text)) key(text);
                    dictionary.put(pairs.get(i), pairs.get(i + 1));
                }
            }
            case Pickled.Other _ -> { }
            default -> throw damaged();
        }
    }

    private String key(String key) throws Failure {
        if (key.length() > LONGEST_KEY) throw new Failure.Incompatible(file + ": its pickle has a key of " + key.length() + " letters, longer than any tensor's name: " + SafeText.of(key));
        return key;
    }

    private void push(Pickled value) {
        stack.add(value);
    }

    private Pickled top() {
        if (stack.size() <= floor()) throw new IndexOutOfBoundsException("stack");
        return stack.getLast();
    }

    private Pickled pop() {
        return last(1).getFirst();
    }

    /// What lies below the last mark is out of reach.
    private int floor() {
        return marks.isEmpty() ? 0 : marks.getLast();
    }

    private List<Pickled> last(int count) {
        if (stack.size() - count < floor()) throw new IndexOutOfBoundsException("stack");
        List<Pickled> tail = stack.subList(stack.size() - count, stack.size());
        List<Pickled> taken = List.copyOf(tail);
        tail.clear();
        return taken;
    }

    private List<Pickled> marked() {
        if (marks.isEmpty()) throw new IndexOutOfBoundsException("marks");
        return last(stack.size() - marks.removeLast());
    }

    private Pickled fetch(long key) throws Failure {
        Pickled found = memo.get(key);
        if (found == null) throw damaged();
        return found;
    }

    private long number(int size) throws Failure {
        long value = 0;
        if (size == 8) {
            value = bytes.get(LONG, at);
            if (value < 0) throw tooLarge();
        } else if (size == 4) {
            value = bytes.get(INT, at) & 0xFFFF_FFFFL;
        } else {
            for (int i = 0; i < size; i++) value |= (bytes.get(ValueLayout.JAVA_BYTE, at + i) & 0xFFL) << (8 * i);
        }
        at += size;
        return value;
    }

    /// A number of any length, two's complement; one past 64 bits is no size of a tensor.
    private Pickled whole(long length) throws Failure {
        byte[] digits = taken(length);
        if (digits.length == 0) return new Pickled.Whole(0);
        if (digits.length > 8) return new Pickled.Other("a large number");
        long value = digits[digits.length - 1];
        for (int i = digits.length - 2; i >= 0; i--) value = value << 8 | digits[i] & 0xFF;
        return new Pickled.Whole(value);
    }

    private String text(long length) throws Failure {
        return new String(taken(length), StandardCharsets.UTF_8);
    }

    private void skip(long length) throws Failure {
        taken(length);
        push(new Pickled.Other("bytes"));
    }

    private byte[] taken(long length) throws Failure {
        if (length > LONGEST) throw tooLarge();
        byte[] taken = bytes.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE);
        at += length;
        return taken;
    }

    private String line() throws Failure {
        StringBuilder line = new StringBuilder();
        for (char c; (c = (char) number(1)) != '\n'; ) {
            if (line.length() > 1000) throw damaged();
            line.append(c);
        }
        return line.toString();
    }

    private Failure.Unreadable damaged() {
        return new Failure.Unreadable(file + ": its pickle is damaged before byte " + at + "; download or copy it again");
    }

    private Failure.Incompatible tooLarge() {
        return new Failure.Incompatible(file + ": its pickle is larger than any file of tensors needs; it was not read further than byte " + at);
    }
}
