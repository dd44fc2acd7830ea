package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ProviderDevice.Precision;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a process sends to the process of a provider and back. Requests are binary, on standard input. Answers are
/// lines on standard output, since the provider may print lines of its own; they carry the number of their request.
final class ProviderMessage {
    static final int CREATE = 1;
    static final int RUN = 2;
    static final int CLOSE = 3;
    /// Begins the line of an answer.
    static final String ANSWER = "atomstudio-answer ";
    private static final int CHUNK_BYTES = 1 << 20;

    private ProviderMessage() {}

    /// Everything a session depends on, apart from initializers.
    /// @param folder of the weight files
    record SessionRequest(String device, Precision precision, Optional<String> compileCache, int threads,
            String folder, long weightBytes, byte[] graph) {
        void write(DataOutputStream out) throws IOException {
            out.writeUTF(device);
            out.writeUTF(precision.name());
            out.writeUTF(compileCache.orElse(""));
            out.writeInt(threads);
            out.writeUTF(folder);
            out.writeLong(weightBytes);
            out.writeInt(graph.length);
            out.write(graph);
        }

        static SessionRequest read(DataInputStream in) throws IOException {
            return new SessionRequest(in.readUTF(), Precision.valueOf(in.readUTF()),
                    Optional.of(in.readUTF()).filter(cache -> !cache.isEmpty()), in.readInt(), in.readUTF(),
                    in.readLong(), in.readNBytes(in.readInt()));
        }
    }

    /// @param request number of the request
    /// @param content of a session, a result or, in UTF-8, the reason of a failure
    record Answer(int request, Status status, byte[] content) {
        enum Status { DONE, FAILED, OUT_OF_MEMORY }

        static Answer failed(int request, Throwable e) {
            boolean isMemory = e instanceof Failure.OutOfMemory || e instanceof OutOfMemoryError;
            return new Answer(request, isMemory ? Status.OUT_OF_MEMORY : Status.FAILED,
                    String.valueOf(e.getMessage()).getBytes(StandardCharsets.UTF_8));
        }

        String line() {
            return ANSWER + request + " " + status + " " + Base64.getEncoder().encodeToString(content);
        }

        /// @throws IllegalArgumentException if it is none, as when a provider printed into it
        static Answer parse(String line) {
            String[] words = line.substring(ANSWER.length()).split(" ", 3);
            return new Answer(Integer.parseInt(words[0]), Status.valueOf(words[1]),
                    Base64.getDecoder().decode(words[2]));
        }
    }

    /// A tensor in memory of its own.
    record HeldTensor(Arena arena, MemorySegment bytes, OnnxJavaType type, long[] sizes) implements AutoCloseable {
        OnnxTensor tensor(OrtEnvironment environment) throws OrtException {
            return OnnxTensor.createTensor(environment, bytes.asByteBuffer().order(ByteOrder.nativeOrder()), sizes,
                    type);
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    static void writeNames(DataOutputStream out, Collection<String> names) throws IOException {
        out.writeInt(names.size());
        for (String name : names) out.writeUTF(name);
    }

    static List<String> readNames(DataInputStream in) throws IOException {
        int count = in.readInt();
        List<String> names = new ArrayList<>();
        for (int i = 0; i < count; i++) names.add(in.readUTF());
        return names;
    }

    static void writeTensors(DataOutputStream out, Map<String, OnnxTensor> tensors) throws IOException {
        out.writeInt(tensors.size());
        for (Map.Entry<String, OnnxTensor> entry : tensors.entrySet()) {
            out.writeUTF(entry.getKey());
            OnnxTensor tensor = entry.getValue();
            out.writeUTF(tensor.getInfo().type.name());
            long[] sizes = tensor.getInfo().getShape();
            out.writeInt(sizes.length);
            for (long size : sizes) out.writeLong(size);
            ByteBuffer bytes = tensor.getByteBuffer();
            out.writeLong(bytes.remaining());
            out.write(bytes.array(), bytes.arrayOffset(), bytes.remaining());
        }
    }

    static Map<String, HeldTensor> readTensors(DataInputStream in) throws IOException {
        int count = in.readInt();
        Map<String, HeldTensor> tensors = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) tensors.put(in.readUTF(), readTensor(in));
        return tensors;
    }

    private static HeldTensor readTensor(DataInputStream in) throws IOException {
        OnnxJavaType type = OnnxJavaType.valueOf(in.readUTF());
        long[] sizes = new long[in.readInt()];
        for (int i = 0; i < sizes.length; i++) sizes[i] = in.readLong();
        long length = in.readLong();
        Arena arena = Arena.ofShared(); // read on one thread and freed on another
        MemorySegment bytes = arena.allocate(length, Long.BYTES);
        byte[] chunk = new byte[(int) Math.min(length, CHUNK_BYTES)];
        for (long at = 0; at < length;) {
            int read = in.readNBytes(chunk, 0, (int) Math.min(chunk.length, length - at));
            if (read == 0) throw new EOFException("the input ended in a tensor");
            MemorySegment.copy(MemorySegment.ofArray(chunk), 0, bytes, at, read);
            at += read;
        }
        return new HeldTensor(arena, bytes, type, sizes);
    }
}
