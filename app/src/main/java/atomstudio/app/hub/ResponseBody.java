package atomstudio.app.hub;

import atomstudio.app.jobs.Cancellation;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The body of a response. A read ends if no data arrives for some time, or if the job is cancelled; Java's own stream
/// would wait forever on a stalled connection.
final class ResponseBody implements HttpResponse.BodySubscriber<ResponseBody>, AutoCloseable {
    private static final long POLL_MILLIS = 100;

    /// A part of the body, or its end.
    private sealed interface Signal {
        record Part(List<ByteBuffer> buffers) implements Signal {}

        /// @param error null: complete
        record End(@Nullable Throwable error) implements Signal {}
    }

    private final BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
    private final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();

    @Override
    public CompletionStage<ResponseBody> getBody() { return CompletableFuture.completedFuture(this); }

    @Override
    public void onSubscribe(Flow.Subscription started) {
        subscription.complete(started);
        started.request(1);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        signals.add(new Signal.Part(buffers));
    }

    @Override
    public void onError(Throwable error) {
        signals.add(new Signal.End(error));
    }

    @Override
    public void onComplete() {
        signals.add(new Signal.End(null));
    }

    /// The next part; empty at the end.
    /// @throws HttpTimeoutException if nothing arrives within `stallTimeout`
    Optional<List<ByteBuffer>> next(Duration stallTimeout, Cancellation cancellation)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + stallTimeout.toNanos();
        while (true) {
            cancellation.throwIfRequested();
            Signal signal = signals.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
            switch (signal) {
                case Signal.Part(List<ByteBuffer> buffers) -> {
                    subscription.thenAccept(active -> active.request(1));
                    return Optional.of(buffers);
                }
                case Signal.End(Throwable error) when error == null -> {
                    return Optional.empty();
                }
                case Signal.End(Throwable error) -> throw new IOException(error.getMessage(), error);
                case null -> {
                    if (System.nanoTime() > deadline)
                        throw new HttpTimeoutException("no data for " + stallTimeout.toSeconds() + " s");
                }
            }
        }
    }

    /// The whole body.
    /// @throws IOException also if it is longer than `maxBytes`
    byte[] readAll(int maxBytes, Duration stallTimeout, Cancellation cancellation)
            throws IOException, InterruptedException {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (Optional<List<ByteBuffer>> part = next(stallTimeout, cancellation); part
                .isPresent(); part = next(stallTimeout, cancellation)) {
            for (ByteBuffer buffer : part.get()) {
                byte[] bytes = new byte[buffer.remaining()];
                buffer.get(bytes);
                content.writeBytes(bytes);
            }
            if (content.size() > maxBytes) throw new IOException("more than " + maxBytes + " bytes");
        }
        return content.toByteArray();
    }

    /// Ends the transfer.
    @Override
    public void close() {
        subscription.thenAccept(Flow.Subscription::cancel);
    }
}
