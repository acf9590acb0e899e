"""A sketched spec as a YAML file that explains itself."""

from __future__ import annotations

import json
from typing import Any

from orchestrator.sketch import Sketch, Wish


def written(wish: Wish, made: Sketch) -> str:
    """The file's text; what it says is what the sketch's data says."""
    spec = made.spec
    model, training = spec["model"], spec["training"]
    main, repeats = spec["grid"]
    small = model["tokenizer"] == "bytes"
    where = f"{wish.devices} {wish.device or 'cores'}"
    lines = [
        "# yaml-language-server: $schema=schema.json",
        f"# {made.trials} networks, about {made.hours:.2g} hours on {where}: an estimate (`sweep plan` has all).",
        "# `sweep schema > schema.json` beside this file lets your editor complete and check it.",
        f"name: {spec['name']}",
        "# The decoder that all networks share. context: tokens a sequence."
        + (" Bytes need no tokenizer to be trained." if small else " The vocabulary is small, so that it does"),
    ]
    if not small:
        lines.append("# not blur the comparison of depths.")
    lines += [
        f"model: {flow(model)}",
        "# sizes are N, the parameters of the blocks' matrices; each is trained at each depth, with the width that",
        "# gives that size. The best depth should lie inside the depths: add deeper ones if the deepest wins.",
        "grid:",
        f"  - {flow(main)}",
        "  # Two more seeds of two small networks: without repeats nobody knows how large a difference must be.",
        f"  - {flow(repeats)}",
        "# held_out: part of the documents kept for the loss that is compared. repeat: go over the text again if it",
        "# is shorter than training.tokens.",
        f"data: {flow(spec['data'])}",
        "# Everything here changes the numbers, and so makes other trials.",
        "training:",
        f"  tokens: {training['tokens']}   # each network sees as many: about 16 a parameter of the largest",
        f"  batch_tokens: {training['batch_tokens']}",
        f"  precision: {training['precision']}",
        f"  zero: {training['zero']}   # DeepSpeed's stage; in bf16 it moves the last digits, so hold it",
        "  # The best rate falls with the width; a wrong one costs as much as a wrong depth. To have it tuned on a",
        "  # small network and carried over to the others:",
        f"  #   {{transfer: completep, base: [{main['depths'][0]}, 64], sweep: [3e-3, 6e-3, 1.2e-2, 2.4e-2]}}",
        f"  learning_rate: {flow(training['learning_rate'])}",
        f"  schedule: {flow(training['schedule'])}",
        f"  seeds: {flow(training['seeds'])}",
        f"evaluation: {flow(spec['evaluation'])}",
    ]
    if "cluster" in spec:
        lines += [
            "# Placement only, no part of any trial's identity: what is planned for. The run takes what is there, on",
            "# the Ray cluster that --address names.",
            f"cluster: {flow(spec['cluster'])}",
        ]
    if "budget" in spec:
        lines += [
            "# A hard cap, in device-hours (hours × devices): what would pass it is not started.",
            f"budget: {flow(spec['budget'])}",
        ]
    return "\n".join(lines) + "\n"


def flow(value: Any) -> str:
    """Plain data on one line of YAML."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(flow(item) for item in value) + "]"
        case str() if value.replace("-", "").replace("_", "").isalnum():
            return value
        case float():
            return f"{value:g}".replace("e+0", "e").replace("e-0", "e-")
        case _:
            return json.dumps(value, ensure_ascii=False)
