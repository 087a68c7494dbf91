"""Two machines on one: network namespaces with names of their own, joined by a link of a given bandwidth and delay. Needs
root, iproute2 and /dev/net/tun.

Packets go through a process that delivers each one when a link of that bandwidth and delay would have, so that the kernel
needs no netem. They are large (65,000 bytes), because a Python process forwards some 20,000 of them a second.
"""

import fcntl
import heapq
import mmap
import os
import select
import signal
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import one_machine

MTU = 65000
TUNSETIFF, IFF_TUN_NO_PI = 0x400454CA, 0x1001
AGENT = """#!/bin/bash
host=$1; shift
n=$((${host##*.} - 1))
exec ip netns exec asap$n unshare -u sh -c "hostname asap$n; $*"
"""


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class ShapedLink:
    """with ShapedLink(bits_per_second, seconds) as link: link.mpirun([...]) runs one rank on each machine."""

    def __init__(self, bits_per_second, seconds):
        self.rate, self.delay = bits_per_second / 8, seconds

    def __enter__(self):
        self.devices = []
        for n in (0, 1):
            subprocess.run(["ip", "netns", "del", f"asap{n}"], stderr=subprocess.DEVNULL, check=False)
            ip("netns", "add", f"asap{n}")
            device = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", f"asaptun{n}".encode(), IFF_TUN_NO_PI))
            self.devices.append(device)
            ip("link", "set", f"asaptun{n}", "netns", f"asap{n}")
            inside = ("-n", f"asap{n}")
            ip(*inside, "link", "set", "lo", "up")
            ip(*inside, "link", "set", f"asaptun{n}", "mtu", str(MTU), "txqueuelen", "1000", "up")
            ip(*inside, "addr", "add", f"10.77.0.{n + 1}", "peer", f"10.77.0.{2 - n}", "dev", f"asaptun{n}")
        self.carried = mmap.mmap(-1, 8)  # bytes, counted by the process
        self.relay = os.fork()
        if self.relay == 0:
            try:
                self.forward()
            finally:
                os._exit(0)
        self.folder = tempfile.TemporaryDirectory()
        self.agent = Path(self.folder.name) / "agent"
        self.agent.write_text(AGENT)
        self.agent.chmod(0o755)
        return self

    def forward(self):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))  # a link does not wait for a processor
        waiting, free_at = [], [0.0, 0.0]  # packets by the time they arrive; when each direction is idle again
        number = carried = 0
        while True:
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                _, _, to, packet = heapq.heappop(waiting)
                os.write(self.devices[to], packet)
                now = time.monotonic()
            for device in select.select(self.devices, [], [], max(waiting[0][0] - now, 0) if waiting else None)[0]:
                packet = os.read(device, 70000)
                side = self.devices.index(device)
                free_at[side] = max(free_at[side], time.monotonic()) + len(packet) / self.rate
                number += 1
                carried += len(packet)
                self.carried[:8] = struct.pack("q", carried)
                heapq.heappush(waiting, (free_at[side] + self.delay, number, 1 - side, packet))

    def relayed(self):
        """Processor time of the process that plays the link, in seconds, and the bytes it has carried, so far."""
        fields = Path(f"/proc/{self.relay}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), struct.unpack("q", self.carried[:8])[0]

    def mpirun(self, line, **options):
        words = ["mpirun", "--mca", "plm_rsh_agent", str(self.agent), "--mca", "btl", "tcp,self", "--mca",
                 "oob_tcp_if_include", "10.77.0.0/24", "--mca", "btl_tcp_if_include", "10.77.0.0/24", "--bind-to", "none",
                 "--host", "10.77.0.1,10.77.0.2", "-np", "2", *line]
        inside = ["ip", "netns", "exec", "asap0", "unshare", "-u", "sh", "-c", 'hostname asap0; exec "$@"', "sh", *words]
        return subprocess.run(inside, env=one_machine.environment(), check=True, stdout=subprocess.PIPE, text=True, **options).stdout

    def __exit__(self, *_):
        os.kill(self.relay, signal.SIGKILL)
        os.waitpid(self.relay, 0)
        for n, device in enumerate(self.devices):
            os.close(device)
            ip("netns", "del", f"asap{n}")
        self.folder.cleanup()
