"""Holds a release's documents against the published schemas, and pulls its images from a registry.

verify.py documents FOLDER        every *.cdx.json is CycloneDX 1.6, the provenance is in-toto with SLSA v1
verify.py pull IMAGE FOLDER       writes an image's layers into the folder, and prints its manifest and config
"""

import json
import pathlib
import sys


def documents(folder):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    from google.protobuf.json_format import ParseDict
    from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
    from in_toto_attestation.v1.statement_pb2 import Statement

    validator = JsonStrictValidator(SchemaVersion.V1_6)
    lists = sorted(folder.glob("*.cdx.json"))
    for path in lists:
        text = path.read_text()
        fault = validator.validate_str(text)
        if fault:
            sys.exit(f"{path.name}: {fault}")
        document = json.loads(text)
        known = {component["bom-ref"] for component in document["components"]}
        known.add(document["metadata"]["component"]["bom-ref"])
        for edge in document["dependencies"]:
            unknown = {edge["ref"], *edge["dependsOn"]} - known
            if unknown:
                sys.exit(f"{path.name} refers to {unknown} and does not list it")

    # Strict: a field that the published messages do not have is an error.
    document = json.loads((folder / "provenance.intoto.json").read_text())
    statement = ParseDict(document, Statement())
    provenance = ParseDict(document["predicate"], Provenance())
    named = {subject.name for subject in statement.subject}
    missing = {path.name.removesuffix(".cdx.json") for path in lists} ^ named
    if missing or not named:
        sys.exit(f"lists of contents and provenance do not name the same artefacts: {missing}")
    if not (provenance.build_definition.build_type and provenance.run_details.builder.id):
        sys.exit("the provenance names no build type or no builder")
    print(f"{len(lists)} lists of contents, 1 provenance statement about {len(named)} artefacts")


def pull(image, folder):
    import oras.client

    client = oras.client.OrasClient(insecure=True)
    manifest = client.get_manifest(image)
    config = client.get_blob(client.get_container(image), manifest["config"]["digest"]).json()
    client.pull(target=image, outdir=str(folder))
    print(json.dumps({"manifest": manifest, "config": config}))


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "documents":
        documents(pathlib.Path(rest[0]))
    elif command == "pull":
        pull(rest[0], pathlib.Path(rest[1]))
    else:
        sys.exit(__doc__)
