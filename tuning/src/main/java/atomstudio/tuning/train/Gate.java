package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.StepListener;
import java.util.Optional;

/// Where a run can be interfered with: between two pieces of its work.
final class Gate {
    private static final long POLL_MILLIS = 50;

    private final Control control;
    private final Journal journal;

    Gate(Control control, Journal journal) {
        this.control = control;
        this.journal = journal;
    }

    /// Through which everything goes.
    static Gate open() {
        return new Gate(Control.none(), Journal.none());
    }

    /// What a place of work can do while it is held.
    interface Held {
        /// Keeps what has been reached.
        void keep() throws Failure;

        void answer(String prompt) throws Failure;
    }

    /// Whether to stop now. Waits while paused, and answers prompts.
    boolean stop(int step, Held held) throws Failure {
        Control.Wish wish = control.wish();
        if (wish == Control.Wish.PAUSE) {
            held.keep();
            journal.note(new TuneEvent.Paused(step));
            while ((wish = control.wish()) == Control.Wish.PAUSE) {
                answer(held);
                try {
                    Thread.sleep(POLL_MILLIS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return true;
                }
            }
            if (wish == Control.Wish.CONTINUE) journal.note(new TuneEvent.Resumed(step));
        }
        if (wish == Control.Wish.CONTINUE) answer(held);
        return wish == Control.Wish.STOP || Thread.currentThread().isInterrupted();
    }

    /// For work before the first step: nothing is reached yet.
    boolean stopBefore(int step) throws Failure {
        return stop(step, new Held() {
            @Override public void keep() {}

            @Override public void answer(String prompt) throws Failure {
                journal.note(new TuneEvent.Note(step, "\"" + prompt + "\" cannot be made yet: training has not begun; ask again once it has"));
            }
        });
    }

    /// For the sampler: ends it when the run is to stop.
    StepListener sampling() {
        return progress -> control.wish() == Control.Wish.STOP ? StepListener.Next.STOP : StepListener.Next.CONTINUE;
    }

    private void answer(Held held) throws Failure {
        Optional<String> prompt = control.prompt();
        while (prompt.isPresent()) {
            held.answer(prompt.get());
            prompt = control.prompt();
        }
    }
}
