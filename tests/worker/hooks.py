"""Ways for a block to go wrong, put into real workers from outside: the product has no switch for it.

A folder with a ``sitecustomize.py`` on PYTHONPATH is all that it takes; processes that read files of users
run isolated and do not see it.
"""

import os
from pathlib import Path

_HOOK = """
import sys
if "service.embedded.entry" in sys.orig_argv:
    from service.maps.blockfolder import BlockFolder
    plain = BlockFolder.commit

    def commit(self, sheet, block, *arrays, **options):
        if block.name == {block!r}:
            import os, signal, time
            if not os.path.exists({until!r}):
                {deed}
        return plain(self, sheet, block, *arrays, **options)

    BlockFolder.commit = commit
"""

DEEDS = {
    "killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "raised": "raise ValueError('this block is cursed')",
    "hung": "time.sleep(1000)",
    "full": "raise OSError(28, 'No space left on device')",
}


def hook(folder: Path, *, block: str, deed: str, until: Path | None = None) -> dict[str, str]:
    """Environment of workers in which one block goes wrong whenever it is to be written.

    Args:
        folder: To be made, for the hook.
        block: Its name.
        deed: Of `DEEDS`.
        until: A file that ends it once it is there; None never does.
    """
    folder.mkdir()
    code = _HOOK.format(block=block, deed=DEEDS[deed], until=str(until or ""))
    (folder / "sitecustomize.py").write_text(code, encoding="utf-8")
    before = os.environ.get("PYTHONPATH")  # where the code may be that is tested
    return {"PYTHONPATH": os.pathsep.join([str(folder), *([before] if before else [])])}
