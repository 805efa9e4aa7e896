"""What infra/deploy/deploy is for, by SAM's own translator: a parameter that changes is a new version of every
function, and a deployment that changes nothing is none. Needs the SAM CLI's Python."""

import logging
import os
import pathlib
import subprocess
import tempfile

from samcli.yamlhelper import yaml_dump, yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

HERE = pathlib.Path(__file__).resolve().parent


def versions(template, parameters):
    """Names of the versions that this deployment publishes, or finds there already."""
    document = yaml_parse(template)
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/the-same-code"
    translated = Translator({}, Parser()).translate(document, parameter_values=parameters)
    return {
        name
        for name, resource in translated["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Version"
    }


def main():
    logging.disable(logging.ERROR)
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        built = pathlib.Path(".aws-sam/build/template.yaml")
        built.parent.mkdir(parents=True)
        # As `sam build` writes it.
        built.write_text(yaml_dump(yaml_parse((HERE.parent.parent / "template.yaml").read_text())))
        fake = pathlib.Path("bin/sam")
        fake.parent.mkdir()
        fake.write_text('#!/bin/sh\necho "$@" > called\n')
        fake.chmod(0o755)
        environment = {**os.environ, "PATH": f"{fake.parent.resolve()}:{os.environ['PATH']}"}

        def deployed(*options):
            subprocess.run([HERE / "deploy", *options], env=environment, check=True)
            assert pathlib.Path("called").read_text().split() == ["deploy", *options]
            return built.read_text()

        defaults = {
            name: parameter["Default"]
            for name, parameter in yaml_parse(built.read_text())["Parameters"].items()
        }
        changed = defaults | {"MaxListAgeHours": 72}
        unstamped = built.read_text()
        first = versions(unstamped, defaults)
        assert len(first) > 20, first
        assert versions(unstamped, changed) == first, "SAM looks into parameters: infra/deploy/deploy is not needed"

        seen = []
        for options, parameters in [
            ([], defaults),
            (["--parameter-overrides", "MaxListAgeHours=72"], changed),
            (["--parameter-overrides", "MaxListAgeHours=73"], changed | {"MaxListAgeHours": 73}),
        ]:
            made = versions(deployed(*options), parameters)
            assert len(made) == len(first)
            assert versions(deployed(*options), parameters) == made, "nothing changed"
            seen.append(made)
        file = pathlib.Path("parameters.yaml")
        pathlib.Path("samconfig.toml").write_text('parameter_overrides = "file://parameters.yaml"\n')
        for hours in [72, 73]:
            file.write_text(f"MaxListAgeHours: {hours}\n")
            seen.append(versions(deployed(), defaults | {"MaxListAgeHours": hours}))
        # Another configuration, which includes a file.
        pathlib.Path("other.toml").write_text('parameter_overrides = "file://including.yaml"\n')
        pathlib.Path("including.yaml").write_text("$include: file://included.yaml\n")
        for hours in [74, 75]:
            pathlib.Path("included.yaml").write_text(f"MaxListAgeHours: {hours}\n")
            made = versions(deployed("--config-file=other.toml"), defaults | {"MaxListAgeHours": hours})
            seen.append(made)
        everything = set.union(*seen)
        assert len(everything) == len(seen) * len(first), "a changed parameter published no version"
        print(f"{len(seen)} configurations, each with {len(first)} versions of its own")
        bootstrap = built.parent / "GetCustomer" / "bootstrap"
        bootstrap.parent.mkdir()
        bootstrap.write_bytes(b"\x7fELF" + bytes(14) + (0x3E).to_bytes(2, "little"))
        deployed("--parameter-overrides", "Architecture=x86_64")
        refused = subprocess.run([HERE / "deploy"], env=environment, capture_output=True, text=True)
        assert refused.returncode == 1 and "built for x86_64" in refused.stderr, refused
        bootstrap.unlink()
        file.unlink()
        refused = subprocess.run([HERE / "deploy"], env=environment, capture_output=True, text=True)
        assert refused.returncode == 1 and "parameters.yaml is not there" in refused.stderr, refused


if __name__ == "__main__":
    main()
