"""COCO's own log of BBOB runs, "bbob-new2", which `python -m cocopp FOLDER` reads."""

from collections import defaultdict
from pathlib import Path

HEAD = "% f evaluations | g evaluations | best noise-free fitness - Fopt ({:.12e}) + sum g_i+ | measured fitness | best"
INFO = (
    "suite = 'bbob', funcId = {}, DIM = {}, Precision = 1.000e-08, algId = '{}', "
    "coco_version = '', logger = 'bbob', data_format = 'bbob-new2'\n%\n"
)


def logged(run):
    """(f_opt, [(evaluations, gap)] at targets, the same at evaluations that are due) of a run, to be sent."""
    now = run.now
    lists = []
    for at, gap, count in (("event_at", "event_gap", "events"), ("check_at", "check_gap", "checks")):
        rows = zip(now[at][: now[count]].tolist(), now[gap][: now[count]].tolist())
        lists.append([row for row in rows if row[0] <= run.budget])
    last = (min(int(now["evaluations"]), run.budget), lists[0][-1][1] if lists[0] else float("inf"))
    return float(now["f_opt"]), *([*rows, last] for rows in lists)


def lines(f_opt, rows):
    body = [f"{at} 0 {gap:+.9e} {gap + f_opt:+.9e} {gap + f_opt:+.9e}" for at, gap in rows]
    return "\n".join([HEAD.format(f_opt), *body]) + "\n"


def write(folder, logs):
    """A folder in `folder` for each method; none of them may be there yet."""
    problems = defaultdict(list)  # (method, function, dimension) -> runs
    for line, log in sorted(logs, key=lambda pair: pair[0]["instance"]):
        problems[line["method"], line["function"], line["dimension"]].append((line["instance"], *log))
    for method in {key[0] for key in problems}:
        (Path(folder) / method.replace(" ", "_")).mkdir(parents=True)
    for (method, function, dimension), runs in sorted(problems.items()):
        home = Path(folder) / method.replace(" ", "_")
        name = f"data_f{function}/bbobexp_f{function}_DIM{dimension}"
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        for ending, k in ((".dat", 2), (".tdat", 3)):
            (home / (name + ending)).write_text("".join(lines(run[1], run[k]) for run in runs))
        ends = [f"{instance}:{events[-1][0]}|{events[-1][1]:.1e}" for instance, _, events, _ in runs]
        with (home / f"bbobexp_f{function}.info").open("a") as info:
            info.write(INFO.format(function, dimension, method) + ", ".join([name + ".dat", *ends]) + "\n")


def compare(folder, logs):
    """What cocopp reads of a log against the runs themselves: expected running times to 10^-8."""
    import cocopp
    from bbob_report import expected

    runs = defaultdict(list)
    for line, _ in logs:
        runs[line["method"], line["function"], line["dimension"]].append(line)
    for method in {key[0] for key in runs}:
        for data in cocopp.load(str(Path(folder) / method.replace(" ", "_"))):
            own, _ = expected(runs[method, data.funcId, data.dim])
            read = float(data.detERT([1e-8])[0])
            assert read == own or (own is None and read == float("inf")), (method, data.funcId, data.dim, read, own)
    print(f"cocopp reads the same running times, of {len(runs)} problems")
