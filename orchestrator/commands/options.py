"""Options that several commands share."""

from typing import Annotated

import typer

Results = Annotated[str, typer.Option("--results", help="the record: a folder, or a URI such as s3://bucket/prefix")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]
