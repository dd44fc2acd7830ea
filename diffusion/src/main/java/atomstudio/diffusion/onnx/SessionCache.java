package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import java.util.LinkedHashMap;
import java.util.Map;

/// Sessions of one network by key (input shapes and what else its graph depends on), built when first used. Beyond
/// `maxSessions` the least recently used is closed. Owns the sessions.
final class SessionCache<K> implements AutoCloseable {
    /// Builds the graph of a key and opens its session.
    @FunctionalInterface
    interface SessionBuilder<K> {
        OnnxSession build(K key) throws Failure;
    }

    private final int maxSessions;
    private final SessionBuilder<K> builder;
    private final Map<K, OnnxSession> sessions = new LinkedHashMap<>(8, 0.75f, true);

    SessionCache(int maxSessions, SessionBuilder<K> builder) {
        this.maxSessions = maxSessions;
        this.builder = builder;
    }

    boolean has(K key) {
        return sessions.containsKey(key);
    }

    OnnxSession get(K key) throws Failure {
        OnnxSession session = sessions.get(key);
        if (session != null) return session;
        // Before the new one is built: both may not fit into memory.
        while (sessions.size() >= maxSessions) sessions.remove(sessions.keySet().iterator().next()).close();
        session = builder.build(key);
        sessions.put(key, session);
        return session;
    }

    /// Closes all sessions; later calls of [#get] build new ones.
    @Override
    public void close() {
        sessions.values().forEach(OnnxSession::close);
        sessions.clear();
    }
}
