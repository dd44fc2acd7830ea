package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Shape;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/// The bytes that are allocated in a dry run. Arrays are freed as native ones are: at the end of the scope in which
/// they were created, or when released.
final class MemoryAccount {
    /// A handle of an array.
    static final class Use {
        final Shape shape;
        final int bytesPerElement;
        private final Storage storage;
        private boolean released;

        private Use(Shape shape, int bytesPerElement, Storage storage) {
            this.shape = shape;
            this.bytesPerElement = bytesPerElement;
            this.storage = storage;
            storage.handles++;
        }

        /// A float32 array that is not counted.
        static Use persistent(Shape shape) {
            return new Use(shape, Float.BYTES, new Storage(0));
        }
    }

    /// Memory that several handles may share as views.
    private static final class Storage {
        private final long bytes;
        private int handles;

        Storage(long bytes) {
            this.bytes = bytes;
        }
    }

    private final Deque<Set<Use>> scopes = new ArrayDeque<>(List.of(identitySet()));
    private long live;
    private long peak;

    private static Set<Use> identitySet() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    /// Bytes that are not freed yet.
    long live() {
        return live;
    }

    /// Peak bytes so far.
    long peak() {
        return peak;
    }

    Use allocate(Shape shape, int bytesPerElement) {
        Use use = new Use(shape, bytesPerElement, new Storage(bytesPerElement * shape.elements()));
        live += use.storage.bytes;
        peak = Math.max(peak, live);
        scopes.getFirst().add(use);
        return use;
    }

    Use view(Shape shape, Use of) {
        Use view = new Use(shape, of.bytesPerElement, of.storage);
        scopes.getFirst().add(view);
        return view;
    }

    void release(Use array) {
        if (array.released) return;
        array.released = true;
        if (--array.storage.handles == 0) live -= array.storage.bytes;
    }

    /// Takes an array out of its scope, so that only `release` frees it.
    void keep(Use array) {
        scopes.getFirst().remove(array);
    }

    void scoped(Supplier<List<Use>> body) {
        Set<Use> scope = identitySet();
        scopes.push(scope);
        List<Use> results = body.get();
        scopes.pop();
        for (Use result : results) if (scope.remove(result)) scopes.getFirst().add(result);
        scope.forEach(this::release);
    }
}
