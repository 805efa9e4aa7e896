"""Tests infra/deploy/smoke and infra/deploy/canary against the local server, with a program `aws` that
answers as AWS does. Requires curl and the Python of the SAM CLI.

    infra/deploy/smoke_test.py KYC-CUSTOMERS    the binary of the local server
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

from samcli.yamlhelper import yaml_parse

HERE = pathlib.Path(__file__).resolve().parent
TEMPLATE = HERE.parent.parent / "template.yaml"

# Records its arguments, and calls the real curl. While the file `broken` exists, every request fails. While
# the file `refused` exists, API Gateway refuses the token. The issuer's tokens are valid for 8 seconds.
CURL = """#!/bin/sh
echo "$*" >> {folder}/commands
case "$*" in *https://issuer.example*)
  cat > {folder}/credentials
  echo token >> {folder}/tokens
  printf '{{"access_token":"%s","expires_in":8}}' "$ISSUED"
  exit
esac
if [ -e {folder}/refused ]; then printf 401; exit; fi
if [ -e {folder}/broken ]; then printf 500; exit; fi
exec {curl} "$@"
"""

# Answers the calls that smoke and canary make. The event that a queue receives is in the file `event`.
AWS = """#!/usr/bin/env python3
import json, pathlib, sys
folder = pathlib.Path({folder!r})
arguments = sys.argv[1:]
with open(folder / "calls", "a") as calls:
    calls.write(" ".join(arguments[:2]) + "\\n")
option = lambda name: arguments[arguments.index(name) + 1]
call = tuple(arguments[:2])
if call == ("cloudformation", "describe-stacks"):
    output = option("--query").split("'")[1]
    print({{"ApiUrl": {api!r}, "EventBusName": "stack-bus"}}[output])
elif call == ("events", "put-rule"):
    (folder / "customer").write_text(json.loads(option("--event-pattern"))["detail"]["customer_id"][0])
    print(f"arn:aws:events:eu-central-1:111122223333:rule/stack-bus/{{option('--name')}}")
elif call == ("sqs", "create-queue"):
    print(f"https://sqs.example/{{option('--queue-name')}}")
elif call == ("sqs", "set-queue-attributes"):
    policy = json.load(open(option("--attributes").removeprefix("file://")))["Policy"]
    statement = json.loads(policy)["Statement"][0]
    name = option("--queue-url").rsplit("/")[-1]
    assert statement["Resource"] == f"arn:aws:sqs:eu-central-1:111122223333:{{name}}", statement
    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"].endswith(f"/{{name}}"), statement
elif call == ("sqs", "receive-message"):
    # The first attempt receives nothing.
    received = folder / "received"
    customer = (folder / "customer").read_text()
    print((folder / "event").read_text().replace("CUSTOMER", customer) if received.exists() else "None")
    received.touch()
elif call not in [("events", "put-targets"), ("events", "remove-targets"), ("events", "delete-rule"),
                  ("sqs", "delete-queue"), ("cloudformation", "cancel-update-stack"),
                  ("cloudformation", "wait")]:
    sys.exit(f"unexpected call: {{arguments}}")
"""

# A deployment that takes some seconds. It creates the file `deployed` unless it is stopped.
SAM = """#!/bin/sh
sleep 12
touch {folder}/deployed
"""


@contextlib.contextmanager
def server(binary, folder):
    """Starts the local server and yields its address and a token with all permissions."""
    output = folder / "server"
    with output.open("wb") as file, (folder / "log").open("wb") as log:
        process = subprocess.Popen([binary, "--port", "0", "--memory"], stdout=file, stderr=log, cwd=folder)
    try:
        for _ in range(300):
            text = output.read_text()
            if "curl" in text:
                break
            time.sleep(0.1)
        yield (
            re.search(r"^Customers API on (\S+)", text, re.MULTILINE)[1],
            re.search(r"^ey\S+", text, re.MULTILINE)[0],
        )
    finally:
        process.terminate()
        process.wait()


def routes():
    """Returns the routes of the template, each with a pattern of its paths. A route with HEAD has the same
    function as the one with GET, and is left out."""
    for function in yaml_parse(TEMPLATE.read_text())["Resources"].values():
        for event in function.get("Properties", {}).get("Events", {}).values():
            if event["Type"] == "HttpApi" and event["Properties"]["Method"] != "HEAD":
                method, path = event["Properties"]["Method"], event["Properties"]["Path"]
                yield f"{method} {path}", re.compile(f"{method} " + re.sub(r"{\w+}", "[^/]+", path) + r"(\?|: |$)")


class Test:
    def __init__(self, folder, api, token):
        self.folder, self.api, self.token = folder, api, token
        programs = folder / "bin"
        programs.mkdir()
        curl = subprocess.run(["sh", "-c", "command -v curl"], capture_output=True, text=True, check=True)
        texts = {
            "curl": CURL.format(folder=folder, curl=curl.stdout.strip()),
            "aws": AWS.format(folder=str(folder), api=api),
            "sam": SAM.format(folder=folder),
        }
        for name, text in texts.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        self.environment = {
            **os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "TOKEN": token, "TMPDIR": str(folder),
        }
        built = folder / ".aws-sam/build"
        built.mkdir(parents=True)
        (built / "template.yaml").write_text("CONFIGURATION: none\n")

    def run(self, script, *arguments, **environment):
        return subprocess.run(
            [HERE / script, *arguments], env={**self.environment, **environment}, cwd=self.folder,
            capture_output=True, text=True, timeout=120,
        )

    def calls(self):
        """Returns the calls to AWS since the last call of this method."""
        file = self.folder / "calls"
        calls = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return calls

    def customers(self):
        request = urllib.request.Request(
            f"{self.api}/customers?limit=100", headers={"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["data"]["items"]

    def all_routes_are_called_and_customers_are_erased(self):
        result = self.run("smoke", "--all", API_URL=self.api)
        assert result.returncode == 0, result.stderr
        lines = result.stdout.splitlines()
        missing = [route for route, pattern in routes() if not any(map(pattern.match, lines))]
        assert not missing, f"smoke --all does not call {missing}"
        for query in ["risk_level=", "search="]:
            assert any(query in line for line in lines), query
        customers = self.customers()
        assert customers and all(customer["erased_at"] for customer in customers), customers
        assert self.token not in (self.folder / "commands").read_text(), "the token is on a command line"

    def an_event_arrives(self):
        event = {
            "source": "kyc-customers", "detail-type": "customer.updated",
            "detail": {"kind": "customer.updated", "customer_id": "CUSTOMER"},
        }
        for detail_type, is_right in [("customer.updated", True), ("$.kind", False)]:
            (self.folder / "event").write_text(json.dumps(event | {"detail-type": detail_type}))
            result = self.run("smoke", "--all", "stack")
            if is_right:
                assert result.returncode == 0, result.stderr
                assert "event customer.updated of " in result.stdout
            else:
                assert result.returncode != 0, "an event with another detail type must fail"
                assert "must have the detail type customer.updated" in result.stderr, result.stderr
            calls = self.calls()
            for removal in ["events remove-targets", "events delete-rule", "sqs delete-queue"]:
                assert removal in calls, calls
        assert all(customer["erased_at"] for customer in self.customers())

    def a_failed_round_stops_the_deployment(self):
        deployed, broken = self.folder / "deployed", self.folder / "broken"
        process = subprocess.Popen(
            [HERE / "canary", "stack", "--", "--tags", "a=b"], env=self.environment, cwd=self.folder,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        # The first round succeeds.
        for line in process.stdout:
            if line.startswith("POST") and "/erase: 200" in line:
                break
        broken.touch()
        _, errors = process.communicate(timeout=60)
        broken.unlink()
        assert process.returncode == 1, errors
        assert "the deployment is stopped" in errors, errors
        calls = self.calls()
        assert calls[-2:] == ["cloudformation cancel-update-stack", "cloudformation wait"], calls
        assert not deployed.exists(), "the deployment was not stopped"

    def every_route_is_called_during_the_deployment_and_after_it(self):
        event = {
            "source": "kyc-customers", "detail-type": "customer.updated",
            "detail": {"kind": "customer.updated", "customer_id": "CUSTOMER"},
        }
        deployed = self.folder / "deployed"
        for detail_type, is_right in [("customer.updated", True), ("$.kind", False)]:
            (self.folder / "event").write_text(json.dumps(event | {"detail-type": detail_type}))
            result = self.run("canary", "stack")
            assert deployed.exists() and "cloudformation cancel-update-stack" not in self.calls()
            deployed.unlink()
            assert result.stdout.count("POST /kyc/sessions: 201") >= 2, result.stdout
            if is_right:
                assert result.returncode == 0, result.stderr
            else:
                assert result.returncode == 1, result.stderr
                assert "the new version is live" in result.stderr, result.stderr

    def failures_before_the_first_success_do_not_stop_the_deployment(self):
        deployed, broken = self.folder / "deployed", self.folder / "broken"
        broken.touch()
        result = self.run("canary", "stack")
        broken.unlink()
        assert result.returncode == 1, result.stderr
        for text in ["no round succeeded", "the new version is live"]:
            assert text in result.stderr, result.stderr
        assert deployed.exists() and "cloudformation cancel-update-stack" not in self.calls()


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with server(binary, folder) as (api, token):
            test = Test(folder, api, token)
            for case in [
                test.all_routes_are_called_and_customers_are_erased,
                test.an_event_arrives,
                test.a_failed_round_stops_the_deployment,
                test.every_route_is_called_during_the_deployment_and_after_it,
                test.failures_before_the_first_success_do_not_stop_the_deployment,
            ]:
                case()
                print(f"{case.__name__}: ok", flush=True)


if __name__ == "__main__":
    main()
