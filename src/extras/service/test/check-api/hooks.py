"""What the document cannot say: which runs there are, and what it takes to start one.

Values that mean something are added to the schemas that examples are made from, beside what those
allow already: no example is taken away, and none is allowed that was not.
"""

import json
import os

import schemathesis

WORTHWHILE = json.loads(os.environ["CHECK_API_WORTHWHILE"])


def prefer(schema, values):
    """The same schema, with some of its values named."""
    return {"anyOf": [{"enum": values}, schema]}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    for path in raw_schema["paths"].values():
        for operation in path.values():
            known = WORTHWHILE.get(operation["operationId"], {})
            for parameter in operation.get("parameters", []):
                values = known.get(parameter["name"])
                if values:
                    parameter["schema"] = prefer(parameter["schema"], values)
            for media in operation.get("requestBody", {}).get("content", {}).values():
                members = media["schema"].get("properties", {})
                for name in members.keys() & known.keys():
                    members[name] = prefer(members[name], known[name])
