"""What the driver tells every trial of its run: save and go, all of you or those on these nodes; or end, you alone.
Read between two slices.

One key of Ray's own key-value store, which lives in the cluster's head: no process of ours, and gone with the run.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

from ray.experimental.internal_kv import _internal_kv_get, _internal_kv_put

KEY = "interplay/stop/{driver}"
END = "interplay/end/{driver}/{trial}"


def post(driver: str, *, everyone: str | None, nodes: Iterable[str]) -> None:
    """Ask all trials of a driver to stop (with the reason), or those with a worker on one of the nodes."""
    notice = {"everyone": everyone, "nodes": sorted(nodes)}
    _internal_kv_put(KEY.format(driver=driver), json.dumps(notice), overwrite=True)


def asked_to_stop(driver: str, nodes: Collection[str]) -> str | None:
    """Why a trial whose workers are on `nodes` should stop; None while it should not."""
    text = _internal_kv_get(KEY.format(driver=driver))
    if not text:
        return None
    notice = json.loads(text)
    if notice["everyone"]:
        return str(notice["everyone"])
    leaving = set(notice["nodes"]) & set(nodes)
    return f"node {sorted(leaving)[0][:12]} is being drained" if leaving else None


def post_end(driver: str, trial_id: str, reason: str) -> None:
    """Ask one trial to end for good: it has fallen behind."""
    _internal_kv_put(END.format(driver=driver, trial=trial_id), reason, overwrite=True)


def asked_to_end(driver: str, trial_id: str) -> str | None:
    """Why a trial should end for good; None while it should not."""
    text = _internal_kv_get(END.format(driver=driver, trial=trial_id))
    return text.decode() if text else None
