"""Runs the peers of compare_peers.py, each in a process of its own."""

import json
import os
import selectors
import signal
import subprocess
import tempfile
from pathlib import Path

root = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 600  # for imports and for compiling the small case that checks every peer
LARGEST_ERROR = 1e-4  # of float32 attention against float64

# Users may have set these to work around an old OpenBLAS. They slow peers down, so they are unset.
SLOWING_VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class PeerError(Exception):
    """A peer cannot be measured, or no longer; the message says why."""


def processors(threads):
    """The processors on which `threads` threads run, on our side and for every peer."""
    return sorted(os.sched_getaffinity(0))[:threads]


class PeerWorker:
    """One peer in a process of its own. The process is stopped between its turns, so that its waiting threads
    disturb no other side."""

    def __init__(self, name, python, threads):
        self.name = name
        environment = {key: value for key, value in os.environ.items() if key not in SLOWING_VARIABLES}
        environment |= {variable: str(threads) for variable in THREAD_VARIABLES}
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [python, str(root / "tests" / "bench" / "peers.py"), name, str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, env=environment,
            start_new_session=True, preexec_fn=lambda: os.sched_setaffinity(0, processors(threads)),
        )
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        try:
            hello = self._read(START_SECONDS)
            if not hello["error"] < LARGEST_ERROR:
                raise PeerError(f"computes a different result (relative error {hello['error']:.1e})")
        except PeerError:
            self.close()
            raise
        self.versions = hello["versions"]
        self._signal(signal.SIGSTOP)

    def ask(self, request, seconds):
        """Runs one turn. Raises PeerError if it fails or takes longer than `seconds`."""
        self._signal(signal.SIGCONT)
        try:
            self.process.stdin.write((json.dumps(request) + "\n").encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # _read reports the cause
        answer = self._read(seconds)
        self._signal(signal.SIGSTOP)
        return answer

    def close(self):
        self._signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.selector.close()
        self.errors.close()

    def _read(self, seconds):
        if not self.selector.select(seconds):
            raise PeerError(f"no answer within {seconds:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            lines = [text for text in self.errors.read().splitlines() if text.strip()]
            raise PeerError(lines[-1].strip() if lines else "ended without an error message")
        return json.loads(line)

    def _signal(self, number):
        # Signals the whole process group: torch.compile runs compilers in processes of their own.
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass
