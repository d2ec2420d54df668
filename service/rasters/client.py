"""The parent's side of the limited child process."""

import contextlib
import json
import queue
import subprocess
import tempfile
import threading
from collections.abc import Callable
from typing import Any, Self

from service.rasters.confine import child_command, child_environment
from service.rasters.errors import FROM_CHILD, ReaderDied, ReaderTimedOut, UnreadableRaster
from service.rasters.limits import Limits

_MAX_REPLY_BYTES = 16 * 2**20
_STDERR_TAIL_BYTES = 2000


class ReaderChild:
    """One limited child process; a context manager. Requests are made one at a time, from any thread."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._replies: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            child_command(limits),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=child_environment(limits),
            bufsize=0,
        )
        self._listener = threading.Thread(target=self._listen, name="raster child", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def request(
        self,
        operation: str,
        *,
        about: str,
        progress: Callable[[float], None] | None = None,
        **arguments: Any,  # noqa: ANN401 - each operation has its own
    ) -> Any:  # noqa: ANN401 - JSON
        """Ask the child and wait.

        Args:
            operation: A method of ``child.Room``.
            about: The file or files at stake, for messages.
            progress: Called with the share done; each report restarts the time limit.
            arguments: JSON values.

        Returns:
            The JSON result.

        Raises:
            RasterError: What the child found wrong, or ``ReaderDied``, ``ReaderTimedOut``.
        """
        with self._lock:
            try:
                reply = self._exchange({"op": operation, **arguments}, about, progress)
            except BaseException:  # interrupted halfway, the next reply would answer this request
                self._kill()
                raise
        return _result(reply, about)

    def close(self) -> None:
        """End the child."""
        self._kill()
        self._listener.join(timeout=5)
        for pipe in (self._process.stdin, self._process.stdout, self._stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            pending = b""
            while chunk := self._process.stdout.read(65536):
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    self._replies.put(line)
                if len(pending) > _MAX_REPLY_BYTES:
                    self._process.kill()
        self._replies.put(b"")  # the end

    def _exchange(
        self, message: dict[str, Any], about: str, progress: Callable[[float], None] | None
    ) -> dict[str, Any]:
        self._write(message, about)
        while "progress" in (reply := self._next_reply(about)):
            if progress is not None:
                progress(float(reply["progress"]))
        return reply

    def _write(self, message: dict[str, Any], about: str) -> None:
        assert self._process.stdin is not None
        data = memoryview(json.dumps(message).encode() + b"\n")
        try:
            while data:
                data = data[self._process.stdin.write(data) :]
        except (OSError, ValueError) as error:
            raise self._died(about) from error

    def _next_reply(self, about: str) -> dict[str, Any]:
        try:
            line = self._replies.get(timeout=self._limits.request_s)
        except queue.Empty:
            self._kill()
            raise ReaderTimedOut(
                f"{about}: reading took longer than {self._limits.request_s:g} s and was stopped",
                remedy="if the file is sound, tile it (gdal_translate -co TILED=YES) or raise the time limit",
            ) from None
        if not line:
            raise self._died(about)
        try:
            reply = json.loads(line)
        except ValueError as error:
            self._kill()
            raise UnreadableRaster(f"{about}: the reading process answered nonsense") from error
        return reply if isinstance(reply, dict) else {}

    def _died(self, about: str) -> ReaderDied:
        self._kill()
        code = self._process.returncode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return ReaderDied(
            f"{about}: the process that reads it ended ({how}){self._last_words()}",
            remedy="the file is damaged, hostile, or needs more memory than the limit"
            f" ({self._limits.address_space_bytes / 2**30:.1f} GiB)",
        )

    def _last_words(self) -> str:
        with contextlib.suppress(OSError, ValueError):
            self._stderr.seek(0, 2)
            self._stderr.seek(max(self._stderr.tell() - _STDERR_TAIL_BYTES, 0))
            lines = self._stderr.read().decode(errors="replace").strip().splitlines()
            return f": {lines[-1][:200]}" if lines else ""
        return ""

    def _kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


def _result(reply: dict[str, Any], about: str) -> Any:  # noqa: ANN401 - JSON
    if "result" in reply:
        return reply["result"]
    name, message, remedy = reply.get("error"), str(reply.get("message", "")), reply.get("remedy")
    if name == "OutOfMemory":
        raise ReaderDied(f"{about}: reading it needs more memory than the limit", remedy="tile it or cut it")
    if name not in FROM_CHILD:
        message = f"{about}: {message}"
    error = FROM_CHILD.get(str(name), UnreadableRaster)
    raise error(message, remedy=str(remedy) if remedy else None)
