"""Arranges existing binaries as `sam build` does: a folder with a `bootstrap` for every function, and
the template with the names of these folders."""

import argparse
import pathlib
import shutil
import sys

from samcli.yamlhelper import yaml_dump, yaml_parse


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("template", type=pathlib.Path)
    parser.add_argument("binaries", type=pathlib.Path, help="folder with BINARY or BINARY/bootstrap")
    parser.add_argument("output", type=pathlib.Path)
    arguments = parser.parse_args()
    template = yaml_parse(arguments.template.read_text())
    shutil.rmtree(arguments.output, ignore_errors=True)
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        binary = arguments.binaries / resource["Metadata"]["BuildProperties"]["Binary"]
        if binary.is_dir():
            binary = binary / "bootstrap"
        if not binary.is_file():
            sys.exit(f"{binary} does not exist: run `cargo build --profile ci --workspace --bins`")
        folder = arguments.output / name
        folder.mkdir(parents=True)
        shutil.copy2(binary, folder / "bootstrap")
        resource["Properties"]["CodeUri"] = name
    (arguments.output / "template.yaml").write_text(yaml_dump(template))
    print(f"copied the binaries of {arguments.binaries} to {arguments.output}")


if __name__ == "__main__":
    main()
