"""Deploys the built template to the emulator and runs the suite of tests/ against the deployed API.

Run it with `infra/emulator/run`, which installs the tools and builds the template.
"""

import argparse
import contextlib
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import boto3
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STACK = "kyc-customers"
REGION = "eu-central-1"
AUDIENCE = "kyc-customers"
# The tests of this module run after the others, in a stack with short schedules.
ONLY_DEPLOYED = "deployed::"
SHORT = {"RefreshSchedule": "rate(1 minute)", "UpdateSchedule": "rate(1 minute)"}
# The suite starts refreshes and passes itself, so the schedules must not interfere.
QUIET = dict.fromkeys(["RefreshSchedule", "UpdateSchedule", "ResumeSchedule"], "rate(1 day)")


def step(text):
    print(f"\n== {text}", flush=True)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(name, ready, process, seconds=60):
    """Waits until `ready` returns a value. Exits if the process ends or is not ready in time."""
    for _ in range(seconds * 10):
        if process.poll() is not None:
            sys.exit(f"{name} ended with exit status {process.returncode}")
        with contextlib.suppress(OSError, ValueError):
            if (result := ready()) is not None:
                return result
        time.sleep(0.1)
    sys.exit(f"{name} is not ready after {seconds} s")


@contextlib.contextmanager
def running(command, output, **options):
    """Runs a process. Ends the process and its children at the end of the `with` block."""
    process = subprocess.Popen(
        command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, **options
    )
    try:
        yield process
    finally:
        for number in [signal.SIGTERM, signal.SIGKILL]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)


def health(endpoint):
    with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=1) as answer:
        return answer.status == 200 or None


def functions_by_binary(template):
    """Returns the logical id of each function, by the name of its binary."""
    return {
        resource["Metadata"]["BuildProperties"]["Binary"]: name
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


class Stack:
    def __init__(self, arguments, endpoint, expanded):
        self.sam, self.expanded = arguments.sam, expanded
        self.environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": endpoint,
            "SAM_CLI_TELEMETRY": "0",
        }
        self.client = boto3.client(
            "cloudformation",
            region_name=REGION,
            endpoint_url=endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def deploy(self, parameters, log):
        # The short form `key=value` splits values with quotes or spaces.
        overrides = [f"ParameterKey={key},ParameterValue='{value}'" for key, value in parameters.items()]
        command = [
            *[self.sam, "deploy", "--template-file", self.expanded, "--stack-name", STACK],
            *["--resolve-s3", "--no-confirm-changeset", "--no-progressbar", "--region", REGION],
            *["--capabilities", "CAPABILITY_IAM", "--parameter-overrides", *overrides],
        ]
        began = time.monotonic()
        with open(log, "ab") as output:
            result = subprocess.run(
                command, env=self.environment, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT
            )
        if result.returncode != 0:
            sys.exit(f"{log.read_text()}\nsam deploy failed")
        status = self.client.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
        print(f"{status} after {time.monotonic() - began:.0f} s", flush=True)

    def physical_ids(self):
        """Returns the physical id of each resource, by its logical id."""
        pages = self.client.get_paginator("list_stack_resources").paginate(StackName=STACK)
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
        }


def test_names(executable, *options):
    """Returns the names of the tests in an executable."""
    result = subprocess.run(
        [executable, "--list", "--format", "terse", *options],
        cwd=ROOT / "tests",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [line.removesuffix(": test") for line in result.stdout.splitlines() if line.endswith(": test")]


def excluded_tests(names):
    """Returns the tests in `differs`, each with the reason why it cannot run here."""
    reasons, reason = {}, None
    for line in (HERE / "differs").read_text().splitlines():
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        if not line.startswith(" "):
            reason = entry
            continue
        matches = [name for name in names if name == entry or (entry.endswith("::") and name.startswith(entry))]
        if not matches:
            sys.exit(f"differs: {entry} does not match a test: rename or remove it")
        if reason is None:
            sys.exit(f"differs: {entry} must follow a line with a reason")
        reasons.update(dict.fromkeys(matches, reason))
    return reasons


def suite_executable():
    """Builds the suite and returns the path of its executable."""
    result = subprocess.run(
        ["cargo", "test", "-p", "api-tests", "--test", "api", "--no-run", "--message-format=json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    for line in result.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message.get("target", {}).get("name") == "api":
            return message["executable"]
    sys.exit("cargo did not report a test executable named api")


def run_tests(executable, names, description, threads, *options):
    """Runs tests. Returns the number of passed tests and the names of the failed ones."""
    if not names:
        return 0, []
    command = [executable, "--exact", *options, f"--test-threads={threads}", *names]
    environment = {**os.environ, "DEPLOYED": str(description)}
    passed, failed = 0, []
    with running(
        command, subprocess.PIPE, cwd=ROOT / "tests", env=environment, text=True
    ) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            if match := re.fullmatch(r"test (\S+?)(?: - should panic)? \.\.\. (ok|FAILED)\n", line):
                if match[2] == "ok":
                    passed += 1
                else:
                    failed.append(match[1])
        process.wait()
    if (process.returncode == 0) != (not failed):
        sys.exit(f"the suite ended with exit status {process.returncode}")
    if passed + len(failed) != len(names):
        sys.exit(f"{passed + len(failed)} tests ran, expected {len(names)}")
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sam", required=True, help="the SAM CLI")
    parser.add_argument("--sam-python", required=True, help="the Python of the environment of the SAM CLI")
    parser.add_argument("--template", type=pathlib.Path, required=True, help="the built template")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="a folder for logs and keys")
    parser.add_argument("--architecture", required=True, help="processor that the functions are built for")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--everything", action="store_true", help="also run the tests in `differs`")
    parser.add_argument("tests", nargs="*", help="run only tests whose names begin with one of these")
    arguments = parser.parse_args()
    # SIGTERM exits normally, so that all started processes are ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))

    work = arguments.work
    shutil.rmtree(work, ignore_errors=True)
    (work / "tmp").mkdir(parents=True)

    step("build the suite")
    executable = suite_executable()
    ignored = set(test_names(executable, "--ignored"))
    names = [name for name in test_names(executable) if name not in ignored]
    only_deployed = sorted(name for name in ignored if name.startswith(ONLY_DEPLOYED))
    excluded = {} if arguments.everything else excluded_tests(names)
    selected = [name for name in names if name not in excluded]
    if arguments.tests:
        prefixes = tuple(arguments.tests)
        selected = [name for name in selected if name.startswith(prefixes)]
        only_deployed = [name for name in only_deployed if name.startswith(prefixes)]
    print(f"{len(names)} tests; {len(selected)} run against the deployed stack")

    step("expand the template for the emulator")
    subprocess.run([arguments.sam_python, HERE / "expand_test.py"], check=True)
    types = work / "types"
    types.write_text("\n".join(_RESOURCE_HANDLERS))
    # The file is in the folder of the built template, because the paths to the functions are relative.
    expanded = arguments.template.with_name("expanded.json")
    expand = [arguments.sam_python, HERE / "expand.py", arguments.template, "--types", types]
    subprocess.run([*expand, "--output", expanded], check=True)
    functions = functions_by_binary(json.loads(expanded.read_text()))

    with contextlib.ExitStack() as exit_stack:

        def log(name):
            return exit_stack.enter_context(open(work / f"{name}.log", "wb"))

        step("start the emulator")
        issuer_command = [sys.executable, HERE / "issuer.py", work]
        issuer = exit_stack.enter_context(running(issuer_command, log("issuer")))
        address = work / "issuer.json"
        url = wait_until("the issuer", lambda: json.loads(address.read_text())["url"], issuer)
        shutil.copy(ROOT / "infra/watchlists/sample.csv", work / "list.csv")
        port = free_port()
        endpoint = f"http://127.0.0.1:{port}"
        environment = {
            **os.environ,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_REGION": REGION,
            "TMPDIR": str(work / "tmp"),
            # Functions inherit the environment of the emulator. Their own variables override it.
            "AWS_ENDPOINT_URL": endpoint,
            "SSL_CERT_FILE": str(work / "ca.pem"),
        }
        emulator_command = [pathlib.Path(sys.executable).with_name("ministack")]
        emulator = exit_stack.enter_context(
            running(emulator_command, log("emulator"), env=environment, cwd=work)
        )
        wait_until("the emulator", lambda: health(endpoint), emulator)
        print(f"at {endpoint}, with the token issuer at {url}")

        step("sam deploy")
        stack = Stack(arguments, endpoint, expanded)
        parameters = {
            "Architecture": arguments.architecture,
            "JwtIssuer": url,
            "JwtAudience": AUDIENCE,
            "DeletionProtection": "false",
            "MaxShrinkPercent": "100",
            "MonitorShards": "2",
            **QUIET,
            "WatchlistSources": json.dumps([{"list": "ours", "from": [f"{url}/list.csv"]}]),
        }
        stack.deploy(parameters, work / "deploy.log")
        physical = stack.physical_ids()
        description = work / "deployed.json"
        api = physical["Api"]
        description.write_text(
            json.dumps(
                {
                    "api": f"http://{api}.execute-api.localhost:{port}",
                    "address": f"127.0.0.1:{port}",
                    "endpoint": endpoint,
                    "region": REGION,
                    "functions": {
                        binary: physical[name] for binary, name in functions.items() if name in physical
                    },
                    "table": physical["Table"],
                    "key": str(work / "signing-key.pem"),
                    "issuer": url,
                    "audience": AUDIENCE,
                    "list": str(work / "list.csv"),
                },
                indent=1,
            )
        )

        step("run the suite against the deployed stack")
        began = time.monotonic()
        passed, failed = run_tests(executable, selected, description, arguments.threads)
        elapsed = time.monotonic() - began

        if only_deployed:
            step("sam deploy with schedules of one minute")
            stack.deploy({**parameters, **SHORT}, work / "deploy.log")
            step("run the tests that need a deployed stack")
            more_passed, more_failed = run_tests(executable, only_deployed, description, 1, "--ignored")
            passed, failed = passed + more_passed, failed + more_failed

    step("differences from AWS, and from the suite on the local server")
    lines = (ROOT / "docs/emulator.md").read_text().splitlines()
    for line, next_line in itertools.pairwise([*lines, ""]):
        # A line of dashes follows the header of a table.
        if line.startswith("| ") and not next_line.startswith("|-"):
            print(f"- {line.strip('| ').split(' | ')[0]}")
    by_reason = {}
    for reason in excluded.values():
        by_reason[reason] = by_reason.get(reason, 0) + 1
    for reason, count in by_reason.items():
        print(f"- {count} tests: {reason}")

    step("counts")
    print(f"passed against the deployed stack: {passed} ({elapsed:.0f} s)")
    print(f"failed: {len(failed)}", *failed, sep="\n  ")
    print(f"not run: {len(excluded)} of {len(names)}; infra/emulator/differs has the reasons")
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
