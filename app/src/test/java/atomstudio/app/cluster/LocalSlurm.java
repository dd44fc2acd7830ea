package atomstudio.app.cluster;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A Slurm of one node on this machine: munged, slurmctld and slurmd on free ports, with everything in one folder. As
/// Debian's `slurm.conf.simple`, it needs neither cgroups nor accounting.
final class LocalSlurm implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final List<String> PID_FILES = List.of("slurmd.pid", "slurmctld.pid", "munge/pid");

    private final Path folder;

    private LocalSlurm(Path folder) {
        this.folder = folder;
    }

    static boolean isInstalled() {
        return Stream.of("sbatch", "slurmctld", "slurmd", "munged")
                .allMatch(program -> Stream.of("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")
                        .anyMatch(place -> Files.isExecutable(Path.of(place, program))));
    }

    static LocalSlurm start(Path folder) throws IOException, InterruptedException {
        LocalSlurm slurm = new LocalSlurm(Files.createDirectories(folder));
        Path munge = Files.createDirectory(folder.resolve("munge"));
        Files.setPosixFilePermissions(munge, PosixFilePermissions.fromString("rwx------"));
        byte[] key = new byte[1024];
        new SecureRandom().nextBytes(key);
        Files.write(Files.createFile(munge.resolve("key"), PosixFilePermissions.asFileAttribute(
                PosixFilePermissions.fromString("rw-------"))), key);
        for (String name : List.of("ctld", "d")) Files.createDirectory(folder.resolve(name));
        Files.writeString(slurm.configuration(), configuration(folder));
        slurm.run("munged", "--force", "--socket=" + munge.resolve("socket"), "--key-file=" + munge.resolve("key"),
                "--pid-file=" + munge.resolve("pid"), "--log-file=" + munge.resolve("log"),
                "--seed-file=" + munge.resolve("seed"), "--num-threads=1");
        slurm.run("slurmctld", "-f", slurm.configuration().toString());
        slurm.run("slurmd", "-f", slurm.configuration().toString());
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!slurm.run("sinfo", "--noheader", "-o", "%t").contains("idle")) {
            if (System.nanoTime() > end) throw new IOException("no idle node: " + slurm.run("sinfo"));
            Thread.sleep(500);
        }
        return slurm;
    }

    private static String configuration(Path folder) throws IOException {
        String host = InetAddress.getLocalHost().getHostName().replaceFirst("\\..*", "");
        String user = System.getProperty("user.name");
        return """
                ClusterName=test
                SlurmctldHost=%1$s(127.0.0.1)
                SlurmctldPort=%2$d
                SlurmdPort=%3$d
                SlurmUser=%4$s
                SlurmdUser=%4$s
                AuthType=auth/munge
                AuthInfo=socket=%5$s/munge/socket
                ProctrackType=proctrack/linuxproc
                TaskPlugin=task/none
                JobAcctGatherType=jobacct_gather/none
                AccountingStorageType=accounting_storage/none
                MpiDefault=none
                SlurmdParameters=config_overrides
                ReturnToService=2
                KillWait=5
                SchedulerParameters=sched_interval=2,bf_interval=2
                SelectType=select/cons_tres
                SelectTypeParameters=CR_CPU
                SlurmctldPidFile=%5$s/slurmctld.pid
                SlurmdPidFile=%5$s/slurmd.pid
                SlurmdSpoolDir=%5$s/d
                StateSaveLocation=%5$s/ctld
                SlurmctldLogFile=%5$s/slurmctld.log
                SlurmdLogFile=%5$s/slurmd.log
                NodeName=%1$s NodeAddr=127.0.0.1 CPUs=8 RealMemory=1000
                PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
                """.formatted(host, freePort(), freePort(), user, folder);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    Path configuration() {
        return folder.resolve("slurm.conf");
    }

    /// Runs a command to its end and returns its output.
    String run(String... command) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("SLURM_CONF", configuration().toString());
        builder.environment().merge("PATH", ":/usr/sbin", String::concat);
        Path output = Files.createTempFile(folder, "output", ""); // daemons keep a pipe open
        int code = builder.redirectOutput(output.toFile()).start().waitFor();
        String text = Files.readString(output, StandardCharsets.UTF_8);
        if (code != 0) throw new IOException(List.of(command) + " ended with " + code + ": " + text);
        return text;
    }

    /// The states of a job's tasks: `17_3 R`.
    List<String> tasks(String job) throws IOException, InterruptedException {
        return run("squeue", "--noheader", "-r", "-t", "all", "-j", job, "-o", "%i %t").lines()
                .map(String::strip)
                .toList();
    }

    /// Ends all jobs, then the daemons.
    @Override
    public void close() throws IOException, InterruptedException {
        run("scancel", "--user=" + System.getProperty("user.name"));
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!run("squeue", "--noheader").isBlank() && System.nanoTime() < end) Thread.sleep(500);
        List<ProcessHandle> daemons = new ArrayList<>();
        for (String name : PID_FILES) {
            Path file = folder.resolve(name);
            if (Files.exists(file))
                ProcessHandle.of(Long.parseLong(Files.readString(file).strip())).ifPresent(daemons::add);
        }
        daemons.forEach(ProcessHandle::destroy);
        for (ProcessHandle daemon : daemons) {
            try {
                daemon.onExit().get(20, TimeUnit.SECONDS);
            } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException late) {
                daemon.destroyForcibly();
            }
        }
    }
}
