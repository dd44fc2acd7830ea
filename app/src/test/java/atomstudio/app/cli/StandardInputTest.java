package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.tuning.train.Control.Wish;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StandardInputTest {
    private final StringWriter err = new StringWriter();
    private final PipedOutputStream window = new PipedOutputStream();
    private StandardInput input;

    @BeforeEach
    void aWindowOnTheOtherEnd() throws IOException {
        input = StandardInput.follow(new PipedInputStream(window), Terminal.plain(new PrintWriter(err), new PrintWriter(err)));
    }

    @Test
    void linesPauseResumeAndStop() throws Exception {
        assertEquals(Wish.CONTINUE, input.wish());
        write("pause\n");
        comesTo(Wish.PAUSE);
        write(" resume \r\n");
        comesTo(Wish.CONTINUE);
        write("stop\n");
        comesTo(Wish.STOP);
    }

    @Test
    void theEndOfTheStreamMeansStop() throws Exception {
        write("pause\n");
        comesTo(Wish.PAUSE);
        window.close();
        comesTo(Wish.STOP);
    }

    @Test
    void anUnknownLineIsNamedAndChangesNothing() throws Exception {
        write("halt\npause\n");
        comesTo(Wish.PAUSE);
        assertTrue(err.toString().contains("\"halt\""), err::toString);
    }

    private void write(String text) throws IOException {
        window.write(text.getBytes(StandardCharsets.UTF_8));
        window.flush();
    }

    private void comesTo(Wish wish) throws InterruptedException {
        long patience = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (input.wish() != wish && System.nanoTime() < patience) {
            Thread.sleep(5);
        }
        assertEquals(wish, input.wish());
    }
}
