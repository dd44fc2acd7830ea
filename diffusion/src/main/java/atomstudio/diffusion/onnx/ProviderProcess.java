package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxTensor;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.engine.ProviderDevice.ProviderCommand;
import atomstudio.diffusion.onnx.ProviderMessage.Answer;
import atomstudio.diffusion.onnx.ProviderMessage.SessionRequest;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/// A child process in which networks run on an execution provider: a crash of the provider's code ends the child and
/// not this process. It is kept between models, and ends with this process.
final class ProviderProcess {
    private static final int END_SECONDS = 10;
    private static final int BUFFER_BYTES = 1 << 16;
    private static final int LAST_LINES = 3;
    /// From here on the exit code is a signal's number.
    private static final int SIGNALS = 128;
    private static final Map<ProviderCommand, ProviderProcess> running = new HashMap<>();

    private final ProviderCommand program;
    private final Process process;
    private final DataOutputStream requests;
    private final Map<Integer, CompletableFuture<Answer>> pending = new HashMap<>();
    private int lastRequest;
    private boolean ended;

    private ProviderProcess(ProviderCommand program, Process process) {
        this.program = program;
        this.process = process;
        this.requests = new DataOutputStream(new BufferedOutputStream(process.getOutputStream(), BUFFER_BYTES));
        Thread.ofPlatform()
                .daemon()
                .name("provider answers")
                .start(() -> readAnswers(process.inputReader(StandardCharsets.ISO_8859_1)));
    }

    /// Until the process ends.
    private void readAnswers(BufferedReader lines) {
        try {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.startsWith(ProviderMessage.ANSWER)) continue; // printed by the provider
                Answer answer = Answer.parse(line);
                CompletableFuture<Answer> request;
                synchronized (this) {
                    request = pending.remove(answer.request());
                }
                if (request != null) request.complete(answer);
            }
        } catch (IOException e) {
            // Reported below.
        } catch (IllegalArgumentException unreadable) {
            process.destroyForcibly(); // the provider printed into an answer
        }
        endRequests();
    }

    /// Ends all requests without an answer.
    private synchronized void endRequests() {
        ended = true;
        pending.values().forEach(request -> request.completeExceptionally(new IOException("no answer")));
        pending.clear();
    }

    /// The running process of a program; started if there is none, or if it has ended.
    static ProviderProcess of(ProviderCommand program) throws Failure {
        synchronized (running) {
            ProviderProcess found = running.get(program);
            if (found != null && found.process.isAlive()) return found;
            try {
                ProviderProcess started = new ProviderProcess(program, new ProcessBuilder(program.command())
                        .redirectError(program.log().toFile())
                        .start());
                running.put(program, started);
                return started;
            } catch (IOException e) {
                throw new Failure.DeviceUnavailable("the process for an execution provider could not be started ("
                        + program.command().getFirst() + "): " + e.getMessage(), e);
            }
        }
    }

    @FunctionalInterface
    private interface Request {
        void write(DataOutputStream out) throws IOException;
    }

    private byte[] exchange(ProviderDevice device, int kind, Request request) throws Failure {
        Answer answer;
        try {
            answer = send(kind, request).join();
        } catch (IOException | CompletionException noAnswer) {
            throw ended(device);
        }
        if (answer.status() == Answer.Status.DONE) return answer.content();
        String message = new String(answer.content(), StandardCharsets.UTF_8);
        if (answer.status() == Answer.Status.OUT_OF_MEMORY)
            throw new Failure.OutOfMemory(message, new IOException("in the process of a provider"));
        throw new Failure.DeviceUnavailable(message, Failure.Remedy.USE_CPU);
    }

    private synchronized CompletableFuture<Answer> send(int kind, Request request) throws IOException {
        if (ended) throw new IOException("the process has ended");
        int number = ++lastRequest;
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        pending.put(number, answer);
        requests.writeByte(kind);
        requests.writeInt(number);
        request.write(requests);
        requests.flush();
        return answer;
    }

    /// Ends what remains of the process; the next session starts another.
    private Failure ended(ProviderDevice device) {
        synchronized (running) {
            running.remove(program, this);
        }
        String how = "did not end";
        try {
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) process.destroyForcibly();
            else
                if (process.exitValue() < 0 || process.exitValue() >= SIGNALS)
                    how = "crashed (exit code " + process.exitValue() + ")";
                else
                    how = "ended (exit code " + process.exitValue() + "): " + lastLines();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        return new Failure.DeviceUnavailable("device " + device.name() + " (" + device.hardware().provider()
                + "): its process " + how + "; its output is in " + program.log(), Failure.Remedy.USE_CPU);
    }

    private String lastLines() {
        try {
            List<String> lines = Files.readAllLines(program.log(), StandardCharsets.ISO_8859_1)
                    .stream()
                    .filter(line -> !line.isBlank())
                    .toList();
            return String.join(" ", lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size()));
        } catch (IOException e) {
            return "";
        }
    }

    /// Opens a session in the process.
    RemoteSession createSession(ProviderDevice device, SessionRequest request, Map<String, OnnxTensor> initializers)
            throws Failure {
        byte[] content = exchange(device, ProviderMessage.CREATE, out -> {
            request.write(out);
            ProviderMessage.writeTensors(out, initializers);
        });
        List<String> lines = new String(content, StandardCharsets.UTF_8).lines().toList();
        return new RemoteSession(device, Integer.parseInt(lines.getFirst()),
                Set.copyOf(lines.subList(1, lines.size())));
    }

    /// A session in the process. Inputs that persist are sent when they change.
    final class RemoteSession implements OnnxSession.SessionHandle {
        private final ProviderDevice device;
        private final int id;
        private final Set<String> inputNames;
        private Map<String, OnnxTensor> sent = Map.of();

        private RemoteSession(ProviderDevice device, int id, Set<String> inputNames) {
            this.device = device;
            this.id = id;
            this.inputNames = inputNames;
        }

        @Override
        public Set<String> inputNames() {
            return inputNames;
        }

        @Override
        public float[] run(Map<String, OnnxTensor> feeds, Map<String, OnnxTensor> persistentInputs) throws Failure {
            Map<String, OnnxTensor> changed = new LinkedHashMap<>();
            persistentInputs.forEach((name, tensor) -> {
                if (sent.get(name) != tensor) changed.put(name, tensor);
            });
            byte[] content = exchange(device, ProviderMessage.RUN, out -> {
                out.writeInt(id);
                ProviderMessage.writeTensors(out, feeds);
                ProviderMessage.writeNames(out, persistentInputs.keySet());
                ProviderMessage.writeTensors(out, changed);
            });
            sent = Map.copyOf(persistentInputs);
            float[] values = new float[content.length / Float.BYTES];
            ByteBuffer.wrap(content).order(ByteOrder.nativeOrder()).asFloatBuffer().get(values);
            return values;
        }

        @Override
        public void close() {
            sent = Map.of();
            if (!process.isAlive()) return;
            try {
                exchange(device, ProviderMessage.CLOSE, out -> out.writeInt(id));
            } catch (Failure ended) {
                // The session ended with its process.
            }
        }
    }
}
