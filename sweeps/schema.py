"""The JSON Schema of a spec, for editors: what can be written in the YAML, single values where lists are meant
included. What a spec's parts rule out among themselves only `sweep plan` says."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from sweeps.spec import Spec, one_or_many


class AsWritten(GenerateJsonSchema):
    """A field that takes one value for a list of one says so, and keys that are numbers may stand in a mapping."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        return {"anyOf": [inner["items"], inner]} if schema["function"]["function"] is one_or_many else inner

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        made.pop("propertyNames", None)  # JSON has words for keys, and would refuse the numbers that YAML has
        return made


def spec_schema() -> dict[str, Any]:
    """Draft 2020-12."""
    made = Spec.model_json_schema(schema_generator=AsWritten)
    extends = {"type": "string", "description": "path of a spec that this one is laid over"}
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "Interplay sweep",
        "description": "A sweep of transformers: which networks, trained how, on what.",
        **{key: value for key, value in made.items() if key not in ("title", "required")},
        "properties": {"extends": extends, **made["properties"]},
        "anyOf": [{"required": ["extends"]}, {"required": made["required"]}],
    }
