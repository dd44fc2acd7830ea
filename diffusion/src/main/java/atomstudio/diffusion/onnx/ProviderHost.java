package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.onnx.ProviderMessage.Answer;
import atomstudio.diffusion.onnx.ProviderMessage.HeldTensor;
import atomstudio.diffusion.onnx.ProviderMessage.SessionRequest;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/// The other end of a [ProviderProcess]: holds the sessions and runs them, one run at a time. Sessions are created
/// beside that.
public final class ProviderHost {
    private static final int BUFFER_BYTES = 1 << 16;

    /// Finds the device of a session request.
    @FunctionalInterface
    public interface DeviceSource {
        Device find(String name) throws Failure;
    }

    private final OutputStream out;
    private final DeviceSource devices;
    private final Map<Integer, HostedSession> sessions = new ConcurrentHashMap<>();
    private final AtomicInteger nextId = new AtomicInteger();

    private ProviderHost(OutputStream out, DeviceSource devices) {
        this.out = out;
        this.devices = devices;
    }

    /// The devices of the plugins that this process has registered.
    public static Device registeredDevice(String name) throws Failure {
        return ExecutionProviders.devices()
                .stream()
                .filter(device -> device.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new Failure.DeviceUnavailable("device " + name
                        + ": its execution provider no longer finds it on this machine; check the device's driver",
                        Failure.Remedy.USE_CPU));
    }

    /// Answers requests until the end of the input. Work that is in progress then goes on, on a daemon thread: the
    /// caller ends the process.
    public static void serve(InputStream in, OutputStream out, DeviceSource devices) throws IOException {
        ThreadFactory daemons = Thread.ofPlatform().daemon().factory();
        ExecutorService runs = Executors.newSingleThreadExecutor(daemons);
        ExecutorService creations = Executors.newCachedThreadPool(daemons);
        ProviderHost host = new ProviderHost(out, devices);
        DataInputStream requests = new DataInputStream(new BufferedInputStream(in, BUFFER_BYTES));
        try {
            while (true) {
                int kind = requests.read();
                if (kind < 0) return;
                int number = requests.readInt();
                Work work = host.read(kind, requests);
                (kind == ProviderMessage.CREATE ? creations : runs).execute(() -> host.answer(number, work));
            }
        } catch (EOFException ended) {
            // The other process ended while it wrote.
        }
    }

    @FunctionalInterface
    private interface Work {
        byte[] run() throws Failure, OrtException;
    }

    private Work read(int kind, DataInputStream in) throws IOException {
        switch (kind) {
            case ProviderMessage.CREATE -> {
                SessionRequest request = SessionRequest.read(in);
                Map<String, HeldTensor> initializers = ProviderMessage.readTensors(in);
                return () -> create(request, initializers);
            }
            case ProviderMessage.RUN -> {
                int id = in.readInt();
                Map<String, HeldTensor> feeds = ProviderMessage.readTensors(in);
                Set<String> persistent = Set.copyOf(ProviderMessage.readNames(in));
                Map<String, HeldTensor> changed = ProviderMessage.readTensors(in);
                return () -> session(id).run(feeds, persistent, changed);
            }
            case ProviderMessage.CLOSE -> {
                int id = in.readInt();
                return () -> close(id);
            }
            default -> throw new IOException("expected a request, found the byte " + kind);
        }
    }

    private void answer(int request, Work work) {
        Answer answer;
        try {
            answer = new Answer(request, Answer.Status.DONE, work.run());
        } catch (Failure | OrtException | RuntimeException | OutOfMemoryError e) {
            answer = Answer.failed(request, e);
        }
        try {
            // The provider may have left a line unfinished.
            synchronized (out) {
                out.write(("\n" + answer.line() + "\n").getBytes(StandardCharsets.ISO_8859_1));
                out.flush();
            }
        } catch (IOException ended) {
            // The end of the input ends this process.
        }
    }

    private byte[] create(SessionRequest request, Map<String, HeldTensor> initializers) throws Failure {
        Device device = devices.find(request.device());
        if (device instanceof ProviderDevice provider) {
            ProviderDevice precise = provider.withPrecision(request.precision());
            device = request.compileCache().map(cache -> precise.withCompileCache(Path.of(cache))).orElse(precise);
        }
        OnnxRuntime runtime = new OnnxRuntime(OnnxRuntime.processEnvironment(), device, request.threads());
        Path folder = Path.of(request.folder());
        try (TensorMap values = TensorMap.of(runtime, initializers)) {
            OrtSession session = runtime.nativeSession(request.graph(),
                    new OnnxRuntime.GraphFiles(folder, OnnxSession.WeightMode.COMPILED, request.weightBytes()),
                    values.tensors);
            int id = nextId.getAndIncrement();
            sessions.put(id, new HostedSession(runtime, session, new TensorMap(new HashMap<>(), new HashMap<>())));
            return (id + "\n" + String.join("\n", session.getInputNames())).getBytes(StandardCharsets.UTF_8);
        } catch (OrtException e) {
            throw runtime.deviceFailure(e, folder.toString());
        }
    }

    private HostedSession session(int id) {
        HostedSession session = sessions.get(id);
        if (session == null) throw new IllegalArgumentException("no session " + id);
        return session;
    }

    private byte[] close(int id) throws OrtException {
        HostedSession closed = session(id);
        sessions.remove(id);
        closed.session.close();
        closed.persistent.close();
        return new byte[0];
    }

    /// Tensors and their memory. Owns both.
    private record TensorMap(Map<String, HeldTensor> memory, Map<String, OnnxTensor> tensors) implements AutoCloseable {
        static TensorMap of(OnnxRuntime runtime, Map<String, HeldTensor> memory) throws OrtException {
            Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
            for (Map.Entry<String, HeldTensor> entry : memory.entrySet())
                tensors.put(entry.getKey(), entry.getValue().tensor(runtime.environment()));
            return new TensorMap(memory, tensors);
        }

        void removeIf(Predicate<String> condition) {
            for (String name : List.copyOf(tensors.keySet())) {
                if (!condition.test(name)) continue;
                tensors.remove(name).close();
                memory.remove(name).close();
            }
        }

        @Override
        public void close() {
            tensors.values().forEach(OnnxTensor::close);
            memory.values().forEach(HeldTensor::close);
        }
    }

    /// @param persistent inputs of the last run that are kept for the next
    private record HostedSession(OnnxRuntime runtime, OrtSession session, TensorMap persistent) {
        byte[] run(Map<String, HeldTensor> feeds, Set<String> persistentNames, Map<String, HeldTensor> changed)
                throws Failure {
            persistent.removeIf(name -> !persistentNames.contains(name) || changed.containsKey(name));
            try (TensorMap values = TensorMap.of(runtime, feeds)) {
                TensorMap added = TensorMap.of(runtime, changed);
                persistent.memory.putAll(added.memory);
                persistent.tensors.putAll(added.tensors);
                Map<String, OnnxTensor> inputs = new HashMap<>(persistent.tensors);
                inputs.putAll(values.tensors);
                try (OrtSession.Result result = session.run(inputs)) {
                    ByteBuffer bytes = ((OnnxTensor) result.get(0)).getByteBuffer();
                    return bytes.array();
                }
            } catch (OrtException e) {
                throw runtime.deviceFailure(e, "running the network");
            }
        }
    }
}
