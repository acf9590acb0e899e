"""sweep schema: what editors need to complete and check a spec."""

from __future__ import annotations


def command() -> int:
    """Print the JSON Schema of a spec; in the YAML: # yaml-language-server: $schema=schema.json"""
    from orchestrator.commands.printing import print_json
    from sweeps.schema import spec_schema

    print_json(spec_schema())
    return 0
