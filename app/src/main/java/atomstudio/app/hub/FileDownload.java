package atomstudio.app.hub;

import atomstudio.app.hub.HubConnection.Request;
import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Failure.Remote.Reason;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.file.StudioFolder;
import java.io.IOException;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongConsumer;

/// Downloads a file to `NAME.part` and moves it to its name when its checksum is right. An existing part is continued,
/// and a broken connection is resumed at the last byte.
final class FileDownload {
    static final String PART = ".part";
    private static final int BUFFER = 1 << 20;

    private final HubClient client;
    private final HubRepository repository;
    private final HubFile file;
    private final Path target;
    private final LongConsumer onBytes;
    private MessageDigest digest;
    private long position;

    /// @param onBytes receives the number of bytes of the file that exist
    FileDownload(HubClient client, HubRepository repository, HubFile file, Path target, LongConsumer onBytes) {
        this.client = client;
        this.repository = repository;
        this.file = file;
        this.target = target;
        this.onBytes = onBytes;
        digest = file.checksum().digest(file.size());
    }

    static Path part(Path target) {
        return target.resolveSibling(target.getFileName() + PART);
    }

    private String what() {
        return repository.id() + ": " + file.path();
    }

    void run(Cancellation cancellation) throws Failure, InterruptedException {
        Path part = part(target);
        try {
            StudioFolder.createDirectories(target.getParent());
            try (FileChannel channel = FileChannel.open(StudioFolder.createFile(part), StandardOpenOption.READ,
                    StandardOpenOption.WRITE)) {
                readPart(channel, cancellation);
                transferAll(channel, cancellation);
                channel.force(true);
            }
            String found = HexFormat.of().formatHex(digest.digest());
            if (!found.equals(file.checksum().hex())) {
                Files.delete(part);
                throw new Failure.Remote(Reason.UNEXPECTED_ANSWER,
                        what() + ": the downloaded file is damaged: expected "
                                + file.checksum() + ", found " + found + "; it was removed");
            }
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw unwritable(e);
        }
    }

    private Failure.Unwritable unwritable(IOException e) {
        return new Failure.Unwritable(target + ": cannot be written: " + e.getMessage()
                + "; free some space or choose another folder. What was downloaded is kept", e);
    }

    /// Adds an earlier part to the checksum.
    private void readPart(FileChannel channel, Cancellation cancellation) throws IOException {
        if (channel.size() > file.size()) channel.truncate(0);
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
        while (channel.read(buffer) >= 0) {
            cancellation.throwIfRequested();
            position += buffer.flip().remaining();
            digest.update(buffer);
            buffer.clear();
            onBytes.accept(position);
        }
    }

    private void transferAll(FileChannel channel, Cancellation cancellation) throws Failure, InterruptedException {
        int failedAttempts = 0;
        while (position < file.size()) {
            long before = position;
            try {
                transfer(channel, cancellation);
                if (position < file.size())
                    throw new IOException("after " + position + " of " + file.size() + " bytes");
            } catch (IOException e) {
                failedAttempts = position > before ? 1 : failedAttempts + 1;
                if (failedAttempts >= client.connection().patience().attempts())
                    throw client.connection().failure(what(), e);
                client.connection().pause(failedAttempts, e, cancellation);
            }
        }
    }

    private void transfer(FileChannel channel, Cancellation cancellation)
            throws IOException, Failure, InterruptedException {
        Request request = Request.get(client.fileAddress(repository.id(), repository.commit(), file.path()), what())
                .range(position == 0 ? OptionalLong.empty() : OptionalLong.of(position), OptionalLong.empty());
        HttpResponse<ResponseBody> response = client.connection().send(request, cancellation);
        try (ResponseBody body = response.body()) {
            checkHeaders(response.headers());
            if (response.statusCode() != 206) restart(channel);
            if (response.statusCode() == 416) throw new IOException("without a part from byte " + position);
            checkRange(response);
            while (true) {
                Optional<List<ByteBuffer>> data = body.next(client.connection().patience().stall(), cancellation);
                if (data.isEmpty()) return;
                for (ByteBuffer buffer : data.get()) append(channel, buffer);
                onBytes.accept(position);
            }
        }
    }

    private void checkHeaders(HttpHeaders headers) throws Failure.Remote {
        if (HubClient.isWebPage(headers)) throw client.webPage(what());
        String encoding = headers.firstValue("Content-Encoding").orElse("identity");
        if (!encoding.equalsIgnoreCase("identity"))
            throw new Failure.Remote(Reason.UNEXPECTED_ANSWER,
                    what() + ": expected the file itself, found it encoded as " + SafeText.of(encoding));
    }

    /// The server sends the file from its beginning.
    private void restart(FileChannel channel) throws Failure {
        try {
            channel.truncate(0);
        } catch (IOException e) {
            throw unwritable(e);
        }
        position = 0;
        digest = file.checksum().digest(file.size());
        onBytes.accept(0);
    }

    private void checkRange(HttpResponse<?> response) throws Failure.Remote {
        String range = response.headers().firstValue("Content-Range").orElse("");
        boolean isRest = range.matches("bytes " + position + "-" + (file.size() - 1) + "/(" + file.size() + "|\\*)");
        if (response.statusCode() == 206 && !isRest)
            throw new Failure.Remote(Reason.UNEXPECTED_ANSWER, what() + ": expected the bytes from " + position + " of "
                    + file.size() + ", found " + (range.isEmpty() ? "a part" : SafeText.of(range)));
        OptionalLong length = response.headers().firstValueAsLong("Content-Length");
        if (length.isPresent() && length.getAsLong() != file.size() - position)
            throw new Failure.Remote(Reason.UNEXPECTED_ANSWER, what() + ": expected " + (file.size() - position)
                    + " bytes, the server announces " + length.getAsLong());
    }

    private void append(FileChannel channel, ByteBuffer buffer) throws Failure {
        if (position + buffer.remaining() > file.size())
            throw new Failure.Remote(Reason.UNEXPECTED_ANSWER,
                    what() + ": expected " + file.size() + " bytes, the server sends more");
        digest.update(buffer.duplicate());
        try {
            while (buffer.hasRemaining()) position += channel.write(buffer, position);
        } catch (IOException e) {
            throw unwritable(e);
        }
    }
}
