"""Keeps of a recorded list what a controller reads; standard input to standard output, one object a line."""

import json
import sys

items = json.load(sys.stdin)["items"]
for item in items:
    item["metadata"].pop("managedFields", None)
    if item["kind"] == "Pod":
        spec = item["spec"]
        spec["volumes"], spec["tolerations"] = [], []
        for container in spec["containers"]:
            container.pop("volumeMounts", None)
items.sort(key=lambda item: (item["kind"], item["metadata"]["name"]))
print("[")
print(",\n".join(json.dumps(item, sort_keys=True) for item in items))
print("]")
