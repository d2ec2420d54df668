"""Files from the Hugging Face hub, pinned to a commit and checked against the digest that the hub states."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

from training.importing.errors import CheckpointUnreadable, HubUnreachable
from training.importing.published import Published

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A file with weights, and where it is from."""

    path: Path
    source: str
    """Repository, commit and file; or the file's own name."""
    sha256: str


def fetch(
    published: Published,
    *,
    revision: str | None = None,
    cache: Path | None = None,
    endpoint: str | None = None,
) -> Checkpoint:
    """Download a published checkpoint, or find it in the cache of the hub's client.

    No token is sent: the weights are public.

    Args:
        published: Which one.
        revision: Branch, tag or commit; None is the newest.
        cache: Folder of downloads; None is that of the hub's client.
        endpoint: Address of the hub; None is ``HF_ENDPOINT``, or the public one.

    Raises:
        HubUnreachable: The hub does not answer, or lacks repository, revision or file.
        CheckpointUnreadable: What came is not what the hub says it has.
    """
    try:
        info = HfApi(endpoint=endpoint, token=False).model_info(
            published.repository, revision=revision, files_metadata=True
        )
        digests = {
            sibling.rfilename: sibling.lfs.sha256 if sibling.lfs else None for sibling in info.siblings or ()
        }
        if published.file not in digests or info.sha is None:
            raise _unreachable(published, f"the repository has {', '.join(sorted(digests)) or 'no files'}")
        log.info("fetching %s of %s at %s", published.file, published.repository, info.sha)
        path = Path(
            hf_hub_download(
                published.repository,
                published.file,
                revision=info.sha,
                cache_dir=cache,
                endpoint=endpoint,
                token=False,
            )
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, httpx2.HTTPError) as error:
        raise _unreachable(published, str(error).strip().splitlines()[0]) from error
    except OSError as error:  # the client's own check of sizes
        raise CheckpointUnreadable(
            f"{published.file} did not come whole: {error}", remedy="Run the command again."
        ) from error
    checkpoint = describe(path, source=f"{published.repository}@{info.sha}/{published.file}")
    if digests[published.file] not in (None, checkpoint.sha256):
        raise CheckpointUnreadable(
            f"{path} has sha256 {checkpoint.sha256}, the hub states {digests[published.file]}",
            remedy="Remove that file and run the command again.",
        )
    return checkpoint


def describe(path: Path, *, source: str | None = None) -> Checkpoint:
    """A file that lies there already.

    Raises:
        CheckpointUnreadable: It cannot be opened.
    """
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointUnreadable(f"{path} cannot be read: {error.strerror}") from error
    return Checkpoint(path=path, source=source or path.name, sha256=sha256)


def _unreachable(published: Published, why: str) -> HubUnreachable:
    return HubUnreachable(
        f"{published.file} was not fetched from {published.repository}: {why}",
        remedy=f"Download it from https://huggingface.co/{published.repository} and give its path with "
        f"--like {published.name}.",
    )
