"""What a result tells people, pandas and machines."""

import json
import pickle

import numpy as np
import pytest

import thalweg as tw

BOX = [(-5.0, 5.0)] * 2


def bowl(x):
    return x[0] ** 2 + x[1] ** 2


@pytest.fixture(scope="module")
def result():
    problem = tw.Problem(fun=bowl, bounds=BOX, names=["mass", "run"])
    return tw.minimize(problem, method="de", restarts=3, seed=1, max_evals=400, target=-1.0)


def test_a_frame_has_a_row_for_each_run_and_a_column_for_each_variable(result):
    pytest.importorskip("pandas")
    frame = result.to_frame()
    columns = ["run", "fun", "nfev", "nit", "n_failed", "stop", "spread", "seconds", "mass", "x_run"]
    assert list(frame.columns) == columns and len(frame) == 3
    assert set(frame["stop"]) == {"out_of_budget"} and frame["fun"].min() == result.fun
    assert frame["mass"].tolist() == result.runs["x"][:, 0].tolist()
    many = tw.restarts(bowl, BOX, runs=4, method="de", max_iters=3, seed=1).to_frame()
    assert list(many.columns[-2:]) == ["x0", "x1"] and set(many["stop"]) == {"out_of_iterations"}


def test_the_frame_of_a_search_is_its_table():
    pytest.importorskip("pandas")
    found = tw.grid_search(lambda a, b: a + b, {"a": [1, 2], "b": [3, 4, 5]})
    assert list(found.to_frame().columns) == ["index", "fun", "seconds", "a", "b"] and len(found.to_frame()) == 6
    with pytest.raises(ValueError, match="to_frame: the result holds neither runs nor a table"):
        tw.random_search(tw.objective(bowl), BOX, points=10, seed=1).to_frame()


def test_json_has_all_of_it_and_null_for_what_is_no_number(result):
    told = json.loads(result.to_json())
    assert set(told) == set(result) and told["fun"] == result.fun and told["names"] == ["mass", "run"]
    assert told["stop_reason"] == "out_of_budget" and told["status"] == 2
    assert [run["stop"] for run in told["runs"]] == ["out_of_budget"] * 3
    lost = tw.minimize(lambda x: np.nan, BOX, method="de", seed=1, max_evals=50)
    assert json.loads(lost.to_json())["fun"] is None and "\n" in lost.to_json(indent=2)


def test_a_run_that_goes_on_has_a_name_for_that():
    optimizer = tw.Optimizer("de", BOX, seed=1)
    optimizer.tell([bowl(x) for x in optimizer.ask()])
    going = optimizer.result()
    assert going.stop_reason is None and json.loads(going.to_json())["stop_reason"] == "running"
    assert "1 run: 1 running" in repr(going)


def test_repr_names_the_stops_and_the_variables(result):
    text = repr(result)
    assert "3 runs: 3 out_of_budget" in text and "mass, run" in text and len(text.splitlines()) == len(result)
    assert {"to_frame", "to_json", "x", "fun"} <= set(dir(result))
    assert pickle.loads(pickle.dumps(result)).names == result.names
