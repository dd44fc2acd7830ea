package atomstudio.app.freedesktop;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.freedesktop.dbus.connections.impl.DBusConnection;
import org.freedesktop.dbus.connections.impl.DBusConnectionBuilder;
import org.freedesktop.dbus.exceptions.DBusException;
import org.freedesktop.dbus.types.Variant;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Progress in docks and taskbars that read Unity's launcher interface: KDE Plasma, Ubuntu Dock, Dash to Dock, Plank,
/// Cinnamon. It is a signal on the session's D-Bus with the name of the program's menu entry; whoever shows this entry
/// listens. They drop the progress when its sender leaves the bus, so the connection stays open.
///
/// The connection is opened by the first progress, on a thread of its own. Without a bus nothing is shown.
public final class LauncherEntry implements Taskbar {
    /// The environment variable with the address of the session's bus.
    static final String ADDRESS_VARIABLE = "DBUS_SESSION_BUS_ADDRESS";

    private static final Logger log = LoggerFactory.getLogger(LauncherEntry.class);
    private static final String INTERFACE = "com.canonical.Unity.LauncherEntry";
    private static final String APPLICATION = "application://" + DesktopEntry.FILE_NAME;
    /// Receivers listen to all paths; libunity's ends with a number that depends on the application.
    private static final String PATH = "/com/canonical/unity/launcherentry/"
            + Integer.toUnsignedString(APPLICATION.hashCode());
    private static final long INTERVAL_MILLIS = 250;
    private static final long CLOSE_MILLIS = 500;

    private final String address;
    private final AtomicReference<@Nullable TaskbarState> newest = new AtomicReference<>();
    private final ScheduledExecutorService sender = new ScheduledThreadPoolExecutor(1,
            Thread.ofPlatform().daemon().name("taskbar").factory(), new ThreadPoolExecutor.DiscardPolicy());
    /// The sender's thread alone.
    private @Nullable DBusConnection connection;
    private boolean failed;

    /// @param address of the bus, as in the environment variable
    public LauncherEntry(String address) {
        this.address = address;
    }

    /// States that come faster than a few times a second replace each other.
    @Override
    public void show(TaskbarState state) {
        if (newest.getAndSet(state) == null) sender.schedule(this::sendNewest, INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        newest.set(null);
        Future<?> disconnected = sender.submit(this::disconnect);
        sender.shutdown();
        try {
            disconnected.get(CLOSE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            log.debug("the D-Bus connection was not closed in order", e);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private void sendNewest() {
        TaskbarState state = newest.getAndSet(null);
        if (state == null || failed) return;
        try {
            if (connection == null) connection = connect(address);
            send(connection, state);
        } catch (DBusException | RuntimeException e) {
            failed = true;
            log.debug("no progress in the taskbar: the D-Bus at {} cannot be used", address, e);
        }
    }

    private void disconnect() {
        DBusConnection open = connection;
        if (open == null || failed) return;
        try {
            send(open, TaskbarState.NONE);
            // Messages are sent in order by a thread that disconnecting interrupts: the reply comes after the signal.
            open.getDBusOwnerName("org.freedesktop.DBus");
            open.disconnect();
        } catch (DBusException | RuntimeException e) {
            log.debug("the D-Bus at {} was lost", address, e);
        }
    }

    /// An address may list several, of which the library takes one: the first in the file system, the only kind that
    /// Java's sockets can open.
    private static DBusConnection connect(String addresses) throws DBusException {
        String address = Arrays.stream(addresses.split(";"))
                .filter(one -> one.startsWith("unix:") && one.contains("path="))
                .findFirst()
                .orElseThrow(() -> new DBusException("expected an address with unix:path=, found " + addresses));
        return DBusConnectionBuilder.forAddress(address).withShared(false).build();
    }

    private static void send(DBusConnection bus, TaskbarState state) throws DBusException {
        Map<String, Variant<?>> properties = new LinkedHashMap<>();
        properties(state).forEach((name, value) -> properties.put(name, new Variant<>(value)));
        bus.sendMessage(bus.getMessageFactory()
                .createSignal(null, PATH, INTERFACE, "Update", "sa{sv}", APPLICATION, properties));
    }

    /// The properties of Unity's interface: all of them, since receivers keep those that a signal leaves out.
    static Map<String, Object> properties(TaskbarState state) {
        Map<String, Object> properties = new LinkedHashMap<>();
        properties.put("progress", state.percent().orElse(0) / 100.0);
        properties.put("progress-visible", state.percent().isPresent());
        properties.put("urgent", state.urgent());
        return properties;
    }
}
