#!/usr/bin/env python3
"""Do the drills notice when a rule or a route is broken?

Breaks each alerting rule in turn (threshold times 1000, a label matcher misspelt, `for` times 20 or 1h where it is 0,
another severity) and each route (receivers swapped, a matcher misspelt), runs the drill of that alert on a stack with
the broken files, and counts a mutant as killed when the drill does not say PROVEN.

    monitoring/mutate.py [--jobs N] [--only ALERT] [--scale 20]

Needs the built `stack` and `loadgen` (`make build`). Exits 1 when a mutant survives.
"""
import argparse, concurrent.futures, os, pathlib, re, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / os.environ.get("PROFILE", "release")
SEVERITIES = {"critical": "warning", "warning": "critical", "none": "warning"}


def drills():
    """Alert and the label that tells rules of one name apart → drill file."""
    found = {}
    for path in sorted((ROOT / "monitoring/drills").glob("*.yaml")):
        text = path.read_text()
        proves = re.search(r"^proves: \{alert: (\w+)(.*)\}", text, re.M)
        if proves:
            burn = re.search(r"burn: (\w+)", proves[2])
            found[(proves[1], burn[1] if burn else "")] = path
    return found


def scaled(text, factor):
    number, unit = re.fullmatch(r"(\d+)([smhd])", text).groups()
    return f"{int(number) * factor}{unit}"


def rule_mutants():
    """(alert, burn, what, file, old block, new block)."""
    for path in sorted((ROOT / "monitoring/alert_rules").glob("*.yml")):
        text = path.read_text()
        for block in re.findall(r"^      - alert: .*?(?=^      (?:- |# )|\Z)", text, re.M | re.S):
            name = re.match(r"      - alert: (\w+)", block)[1]
            burn = re.search(r"burn: (\w+)", block)
            expr = re.search(r"        expr:.*?(?=^        \w+:)", block, re.M | re.S)[0]
            new = {}
            threshold = re.search(r"[<>] (\d+(?:\.\d+)?)", expr)
            if threshold and float(threshold[1]) > 0:
                mutated = expr.replace(threshold[0], f"{threshold[0][0]} {float(threshold[1]) * 1000:g}", 1)
                new["threshold x 1000"] = block.replace(expr, mutated)
            matcher = re.search(r'(\w+)="([\w-]+)"', expr)
            if matcher and "absent" not in expr:  # a misspelt absent() would fire for ever, which is noticed at once
                new["matcher misspelt"] = block.replace(expr, expr.replace(matcher[0], f'{matcher[1]}="{matcher[2]}x"'))
            hold = re.search(r"        for: (\w+)\n", block)
            if hold:
                new["for x 20"] = block.replace(hold[0], f"        for: {scaled(hold[1], 20)}\n")
            elif name != "Watchdog":
                new["for 1h"] = block.replace(expr, expr + "        for: 1h\n")
            severity = re.search(r"severity: (\w+)", block)[1]
            new["severity"] = block.replace(f"severity: {severity}", f"severity: {SEVERITIES[severity]}", 1)
            for what, mutated in new.items():
                if mutated != block and not (name == "Watchdog" and what == "severity"):
                    yield name, burn[1] if burn else "", what, f"alert_rules/{path.name}", block, mutated


def route_mutants():
    """Routes, each with a drill whose alert takes it."""
    for receiver, alert, matcher in (
        ("critical", "RedisDown", 'severity="critical"'),
        ("warning", "RedisRejectedConnections", 'severity="warning"'),
        ("heartbeat", "Watchdog", 'alertname="Watchdog"'),
    ):
        route = f"    - receiver: {receiver}\n      matchers: [{matcher}]"
        other = {"critical": "warning", "warning": "heartbeat", "heartbeat": "warning"}[receiver]
        yield alert, "", f"route {receiver}: receiver swapped", "alertmanager.yml", route, route.replace(f"receiver: {receiver}", f"receiver: {other}")
        if receiver != "warning":  # what no route takes goes to the root's receiver, which is the same
            yield alert, "", f"route {receiver}: matcher misspelt", "alertmanager.yml", route, route.replace('"]', 'x"]')


def survives(mutant, drill, scale):
    _, _, _, file, old, new = mutant
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        monitoring = pathlib.Path(folder) / "monitoring"
        shutil.copytree(ROOT / "monitoring", monitoring, ignore=shutil.ignore_patterns("stack", "drills", "rule_tests"))
        path = monitoring / file
        text = path.read_text()
        assert old in text, f"{file} has changed"
        path.write_text(text.replace(old, new, 1))
        command = [BIN / "stack", "run", "--scale", scale, "--monitoring", monitoring, "--dir", pathlib.Path(folder) / "stack",
                   "--", BIN / "loadgen", "drill", "--scale", scale, "--leftovers", pathlib.Path(folder) / "leftovers", drill]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    verdict = re.findall(r": (PROVEN|LATE|MISSED|UNEXPECTED|UNDECIDED|REFUSED), (.*)", done.stderr)
    return done.returncode == 0, " ".join(verdict[-1])[:150] if verdict else f"exit {done.returncode}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=6)
    parser.add_argument("--only")
    parser.add_argument("--scale", default="20")
    args = parser.parse_args()
    by_alert = drills()
    mutants = [m for m in (*rule_mutants(), *route_mutants()) if not args.only or m[0] == args.only]
    survivors = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        running = {pool.submit(survives, m, by_alert[(m[0], m[1])], args.scale): m for m in mutants}
        for future in concurrent.futures.as_completed(running):
            alert, burn, what, *_ = running[future]
            alive, said = future.result()
            survivors += alive
            print(f"{'SURVIVED' if alive else 'killed  '}  {alert} {burn} {what}: {said}", flush=True)
    killed = len(mutants) - survivors
    print(f"{killed} of {len(mutants)} mutants killed: {killed * 100 // max(1, len(mutants))} %")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
