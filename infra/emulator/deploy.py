"""Deploys the built template to the emulator and runs the suite of tests/ against the deployed API.

`run` beside it makes what this needs: two sets of tools, and a built template.
"""

import argparse
import contextlib
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
# Tests of this module are run by themselves, after the schedules were made short.
ONLY_DEPLOYED = "deployed::"
SHORT = {"RefreshSchedule": "rate(1 minute)", "UpdateSchedule": "rate(1 minute)"}
# The suite refreshes and passes when it wants to.
QUIET = dict.fromkeys(["RefreshSchedule", "UpdateSchedule", "ResumeSchedule"], "rate(1 day)")


def step(text):
    print(f"\n== {text}", flush=True)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def until(what, ready, process, seconds=60):
    for _ in range(seconds * 10):
        if process.poll() is not None:
            sys.exit(f"{what} ended with {process.returncode}")
        with contextlib.suppress(OSError, ValueError):
            if (found := ready()) is not None:
                return found
        time.sleep(0.1)
    sys.exit(f"{what} is not ready after {seconds} s")


@contextlib.contextmanager
def running(command, output, **options):
    """A process and all it starts; gone when the block is left."""
    process = subprocess.Popen(
        command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, **options
    )
    try:
        yield process
    finally:
        for how in [signal.SIGTERM, signal.SIGKILL]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)


def health(endpoint):
    with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=1) as answer:
        return answer.status == 200 or None


def binaries(template):
    """Logical id of a function by its binary."""
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
        # The short form takes values with quotes or spaces apart.
        overrides = [f"ParameterKey={key},ParameterValue='{value}'" for key, value in parameters.items()]
        command = [
            *[self.sam, "deploy", "--template-file", self.expanded, "--stack-name", STACK],
            *["--resolve-s3", "--no-confirm-changeset", "--no-progressbar", "--region", REGION],
            *["--capabilities", "CAPABILITY_IAM", "--parameter-overrides", *overrides],
        ]
        began = time.monotonic()
        with open(log, "ab") as output:
            done = subprocess.run(
                command, env=self.environment, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT
            )
        if done.returncode != 0:
            sys.exit(f"{log.read_text()}\nsam deploy failed")
        status = self.client.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
        print(f"{status} after {time.monotonic() - began:.0f} s", flush=True)

    def physical(self):
        pages = self.client.get_paginator("list_stack_resources").paginate(StackName=STACK)
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
        }


def listed(executable, *options):
    """Names of the tests there are."""
    done = subprocess.run(
        [executable, "--list", "--format", "terse", *options],
        cwd=ROOT / "tests",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [line.removesuffix(": test") for line in done.stdout.splitlines() if line.endswith(": test")]


def differing(names):
    """Reason by test of those that `differs` says cannot be run here."""
    reasons, reason = {}, None
    for line in (HERE / "differs").read_text().splitlines():
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        if not line.startswith(" "):
            reason = entry
            continue
        meant = [name for name in names if name == entry or (entry.endswith("::") and name.startswith(entry))]
        if not meant:
            sys.exit(f"differs: there is no test {entry}")
        if reason is None:
            sys.exit(f"differs: {entry} has no reason")
        reasons.update(dict.fromkeys(meant, reason))
    return reasons


def suite_executable():
    done = subprocess.run(
        ["cargo", "test", "-p", "api-tests", "--test", "api", "--no-run", "--message-format=json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message.get("target", {}).get("name") == "api":
            return message["executable"]
    sys.exit("cargo names no test executable")


def run_tests(executable, names, deployed, threads, *options):
    """How many passed; the names of those that did not."""
    if not names:
        return 0, []
    command = [executable, "--exact", *options, f"--test-threads={threads}", *names]
    environment = {**os.environ, "DEPLOYED": str(deployed)}
    passed, failed = 0, []
    with running(
        command, subprocess.PIPE, cwd=ROOT / "tests", env=environment, text=True
    ) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            if found := re.fullmatch(r"test (\S+?)(?: - should panic)? \.\.\. (ok|FAILED)\n", line):
                if found[2] == "ok":
                    passed += 1
                else:
                    failed.append(found[1])
        process.wait()
    if (process.returncode == 0) != (not failed):
        sys.exit(f"the suite ended with {process.returncode}")
    if passed + len(failed) != len(names):
        sys.exit(f"{len(names)} tests were asked for, {passed + len(failed)} ran")
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sam", required=True, help="the SAM CLI")
    parser.add_argument("--sam-python", required=True, help="the Python that SAM is installed in")
    parser.add_argument("--template", type=pathlib.Path, required=True, help="the built template")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="a folder for logs and keys")
    parser.add_argument("--architecture", required=True, help="that the functions are built for")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--everything", action="store_true", help="also what `differs` lists")
    parser.add_argument("tests", nargs="*", help="only tests whose names begin so")
    arguments = parser.parse_args()
    # A stop from outside is an exit like any other: what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))

    work = arguments.work
    shutil.rmtree(work, ignore_errors=True)
    (work / "tmp").mkdir(parents=True)

    step("the suite")
    executable = suite_executable()
    ignored = set(listed(executable, "--ignored"))
    names = [name for name in listed(executable) if name not in ignored]
    only_deployed = sorted(name for name in ignored if name.startswith(ONLY_DEPLOYED))
    differs = {} if arguments.everything else differing(names)
    chosen = [name for name in names if name not in differs]
    if arguments.tests:
        begins = tuple(arguments.tests)
        chosen = [name for name in chosen if name.startswith(begins)]
        only_deployed = [name for name in only_deployed if name.startswith(begins)]
    print(f"{len(names)} tests, {len(chosen)} of them to be run against the deployed stack")

    step("the template, written out for the emulator")
    subprocess.run([arguments.sam_python, HERE / "expand_test.py"], check=True)
    types = work / "types"
    types.write_text("\n".join(_RESOURCE_HANDLERS))
    # Beside the built one: it names the functions' folders relative to itself.
    expanded = arguments.template.with_name("expanded.json")
    expand = [arguments.sam_python, HERE / "expand.py", arguments.template, "--types", types]
    subprocess.run([*expand, "--output", expanded], check=True)
    functions = binaries(json.loads(expanded.read_text()))

    with contextlib.ExitStack() as stack_of:

        def log(name):
            return stack_of.enter_context(open(work / f"{name}.log", "wb"))

        step("the emulator")
        issuing = [sys.executable, HERE / "issuer.py", work]
        issuer = stack_of.enter_context(running(issuing, log("issuer")))
        described = work / "issuer.json"
        url = until("the issuer", lambda: json.loads(described.read_text())["url"], issuer)
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
            # Functions have the environment of the emulator, and their own variables over it.
            "AWS_ENDPOINT_URL": endpoint,
            "SSL_CERT_FILE": str(work / "ca.pem"),
        }
        emulating = [pathlib.Path(sys.executable).with_name("ministack")]
        emulator = stack_of.enter_context(
            running(emulating, log("emulator"), env=environment, cwd=work)
        )
        until("the emulator", lambda: health(endpoint), emulator)
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
        physical = stack.physical()
        deployed = work / "deployed.json"
        api = physical["Api"]
        deployed.write_text(
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

        step("the suite against the deployed stack")
        began = time.monotonic()
        passed, failed = run_tests(executable, chosen, deployed, arguments.threads)
        took = time.monotonic() - began

        if only_deployed:
            step("sam deploy, with schedules of a minute")
            stack.deploy({**parameters, **SHORT}, work / "deploy.log")
            step("what only a deployed stack does")
            more, failing = run_tests(executable, only_deployed, deployed, 1, "--ignored")
            passed, failed = passed + more, failed + failing

    step("what differs from AWS, and from the suite on a laptop")
    for line in (ROOT / "docs/emulator.md").read_text().splitlines():
        if line.startswith("| ") and not line.startswith("| what"):
            print(f"- {line.strip('| ').split(' | ')[0]}")
    by_reason = {}
    for reason in differs.values():
        by_reason[reason] = by_reason.get(reason, 0) + 1
    for reason, count in by_reason.items():
        print(f"- {count} tests: {reason}")

    step("counts")
    print(f"passed against the deployed stack: {passed} ({took:.0f} s)")
    print(f"failed: {len(failed)}", *failed, sep="\n  ")
    print(f"not run here, and why: {len(differs)} of {len(names)}, listed in infra/emulator/differs")
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
