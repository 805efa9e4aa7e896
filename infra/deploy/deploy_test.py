"""Tests infra/deploy/deploy with SAM's own translator: a changed parameter publishes a new version of every
function, and a deployment without changes publishes none. Requires the Python of the SAM CLI."""

import logging
import os
import pathlib
import subprocess
import tempfile

from samcli.yamlhelper import yaml_dump, yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

HERE = pathlib.Path(__file__).resolve().parent
TEMPLATE = HERE.parent.parent / "template.yaml"


def versions(template, parameters):
    """Returns the names of the versions that a deployment publishes."""
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
        # `sam build` writes the template in the same way.
        built.write_text(yaml_dump(yaml_parse(TEMPLATE.read_text())))
        fake_sam = pathlib.Path("bin/sam")
        fake_sam.parent.mkdir()
        fake_sam.write_text('#!/bin/sh\necho "$@" > arguments\n')
        fake_sam.chmod(0o755)
        environment = {**os.environ, "PATH": f"{fake_sam.parent.resolve()}:{os.environ['PATH']}"}

        def deploy(*options):
            """Runs the script and returns the template that it leaves."""
            subprocess.run([HERE / "deploy", *options], env=environment, check=True)
            assert pathlib.Path("arguments").read_text().split() == ["deploy", *options]
            return built.read_text()

        def error_of_deploy():
            result = subprocess.run([HERE / "deploy"], env=environment, capture_output=True, text=True)
            assert result.returncode == 1, result
            return result.stderr

        defaults = {
            name: parameter["Default"]
            for name, parameter in yaml_parse(built.read_text())["Parameters"].items()
        }
        changed = defaults | {"MaxListAgeHours": 72}
        unstamped = built.read_text()
        first = versions(unstamped, defaults)
        assert len(first) > 20, first
        assert versions(unstamped, changed) == first, "SAM compares parameters: infra/deploy/deploy is not needed"

        deployments = []
        for options, parameters in [
            ([], defaults),
            (["--parameter-overrides", "MaxListAgeHours=72"], changed),
            (["--parameter-overrides", "MaxListAgeHours=73"], changed | {"MaxListAgeHours": 73}),
        ]:
            published = versions(deploy(*options), parameters)
            assert len(published) == len(first)
            assert versions(deploy(*options), parameters) == published, "nothing changed"
            deployments.append(published)
        # samconfig.toml names a file with parameters.
        file = pathlib.Path("parameters.yaml")
        pathlib.Path("samconfig.toml").write_text('parameter_overrides = "file://parameters.yaml"\n')
        for hours in [72, 73]:
            file.write_text(f"MaxListAgeHours: {hours}\n")
            deployments.append(versions(deploy(), defaults | {"MaxListAgeHours": hours}))
        # Another configuration names a file that includes a file.
        pathlib.Path("other.toml").write_text('parameter_overrides = "file://including.yaml"\n')
        pathlib.Path("including.yaml").write_text("$include: file://included.yaml\n")
        for hours in [74, 75]:
            pathlib.Path("included.yaml").write_text(f"MaxListAgeHours: {hours}\n")
            template = deploy("--config-file=other.toml")
            deployments.append(versions(template, defaults | {"MaxListAgeHours": hours}))
        all_versions = set.union(*deployments)
        assert len(all_versions) == len(deployments) * len(first), "a changed parameter published no version"
        print(f"{len(deployments)} configurations, each with {len(first)} versions of its own")

        bootstrap = built.parent / "GetCustomer" / "bootstrap"
        bootstrap.parent.mkdir()
        bootstrap.write_bytes(b"\x7fELF" + bytes(14) + (0x3E).to_bytes(2, "little"))
        deploy("--parameter-overrides", "Architecture=x86_64")
        assert "built for x86_64" in error_of_deploy()
        bootstrap.unlink()
        file.unlink()
        assert "parameters.yaml does not exist" in error_of_deploy()


if __name__ == "__main__":
    main()
