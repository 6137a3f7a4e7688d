#!/usr/bin/env python3
"""Writes a container image from static binaries, without a container engine.

    oci_tar.py --output app.tar --name e2e.local/app:1 --command '["/app"]' build/app=/app

The result is a tar file in the OCI image layout, which `ctr images import`
reads. The image has one layer with the given files and nothing else: no
shell, no libraries, no certificates. The same input gives the same bytes, so a
digest says which program runs.
"""

import argparse
import hashlib
import io
import json
import platform
import tarfile

CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
# Go's names for processors, which the image specification uses.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def add_file(archive, name, content, mode=0o644):
    """Adds one file, owned by root and dated 1970 whatever the source says."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = mode
    archive.addfile(entry, io.BytesIO(content))


def layer_of(files):
    """The layer with these `source=destination` files, all of them executable."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for pair in files:
            source, destination = pair.split("=", 1)
            with open(source, "rb") as file:
                add_file(archive, destination.lstrip("/"), file.read(), 0o755)
    return buffer.getvalue()


class Layout:
    """Collects blobs by their digest, as the image layout stores them."""

    def __init__(self):
        self.blobs = {}

    def add(self, media_type, content):
        """Stores a blob and returns the descriptor that points to it."""
        if not isinstance(content, bytes):
            content = json.dumps(content, sort_keys=True).encode()
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    def write(self, path, index):
        with tarfile.open(path, mode="w") as archive:
            add_file(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
            add_file(archive, "index.json", json.dumps(index, sort_keys=True).encode())
            for digest, content in sorted(self.blobs.items()):
                add_file(archive, f"blobs/sha256/{digest}", content)


def build(options):
    machine = platform.machine()
    target = {"os": "linux", "architecture": ARCHITECTURES.get(machine, machine)}
    layout = Layout()
    layer = layout.add(LAYER, layer_of(options.files))
    config = layout.add(CONFIG, {
        **target,
        "config": {"Entrypoint": options.command, "Env": options.env},
        # The layer is not compressed, so its digest is also its diff id.
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
    })
    manifest = layout.add(MANIFEST, {
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer],
    })
    annotations = {
        # containerd names the imported image after this annotation.
        "io.containerd.image.name": options.name,
        "org.opencontainers.image.ref.name": options.name.rsplit(":", 1)[-1],
    }
    layout.write(options.output, {
        "schemaVersion": 2,
        "manifests": [{**manifest, "platform": target, "annotations": annotations}],
    })


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True, help="the tar file to write")
    parser.add_argument("--name", required=True, help="the image's name with its tag")
    parser.add_argument("--command", required=True, type=json.loads,
                        help='what the container runs, as a JSON list: ["/app"]')
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE",
                        help="a variable that every container of the image has")
    parser.add_argument("files", nargs="+", metavar="SOURCE=DESTINATION")
    build(parser.parse_args())


if __name__ == "__main__":
    main()
