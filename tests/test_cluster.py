"""`cluster()` and the check of a client's workers: real processes, real sockets, real certificates."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest
from distributed import Client, LocalCluster, Security
from distributed.system import MEMORY_LIMIT

from thalweg.kernels.compile.jit import available_threads
from thalweg.orchestration.execution import compatibility
from thalweg.orchestration.execution.cluster import cluster
from thalweg.orchestration.execution.compatibility import PACKAGES, check_workers, describe
from thalweg.orchestration.execution.local_client import FILES

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _nothing_checked_yet():
    """The workers of a client are asked once; these tests change what they answer."""
    compatibility._checked.clear()


@pytest.fixture(scope="module")
def client():
    environment = dict(os.environ)
    with cluster(workers=2) as client:
        assert dict(os.environ) == environment  # Dask's nannies would set variables here
        yield client


def family(client):
    """The process of the cluster, the fork server, the workers."""
    root = psutil.Process(client._process.popen.pid)
    return [root, *root.children(recursive=True)]


def alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE  # an orphan, in a container whose first process does not reap
    except psutil.NoSuchProcess:
        return False


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


# --- cluster -----------------------------------------------------------------------------------------------------


def test_a_worker_has_one_thread_for_everything(client):
    def look():
        import os

        import numba

        names = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        return [os.environ[name] for name in names], numba.get_num_threads(), os.environ["OMP_WAIT_POLICY"]

    assert list(client.nthreads().values()) == [1, 1]
    assert list(client.run(look).values()) == [(["1"] * 4, 1, "passive")] * 2


def test_everything_listens_on_the_loopback_only(client):
    listening = {
        connection.laddr.ip
        for process in family(client)
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_workers_draw_different_numbers_from_numpys_global_generator(client):
    first, second = client.run(lambda: __import__("numpy").random.random()).values()
    assert first != second


def test_a_killed_worker_is_replaced_and_says_nothing(client, capfd):
    before = set(client.run(os.getpid).values())
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(client.nthreads()) == 2 and min(before) not in client.run(os.getpid, on_error="ignore").values())
    assert client.submit(pow, 2, 10).result() == 1024
    assert capfd.readouterr().err == ""


def test_the_end_is_quick_silent_and_complete(capfd):
    with cluster(workers=1) as client:
        processes = family(client)
        task = client.submit(time.sleep, 60)
        until(lambda: any(client.processing().values()))
        begin = time.monotonic()
    assert time.monotonic() - begin < 8
    assert task.status != "finished"
    until(lambda: not any(map(alive, processes)))
    client.close()
    assert capfd.readouterr() == ("", "")


def test_inside_an_event_loop_and_without_a_with_block():
    async def main():
        client = cluster(workers=1)
        processes = family(client)
        assert client.submit(pow, 2, 10).result() == 1024
        client.shutdown()
        assert client.status == "closed"
        return processes

    processes = asyncio.run(main())
    until(lambda: not any(map(alive, processes)))


SCRIPT = """
from thalweg.orchestration.execution.cluster import cluster

print("once")
client = cluster(workers=1)
print(client.submit(lambda x: x + 1, 41).result(), flush=True)
{end}
"""


def run_script(tmp_path, end, **options):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(end=end), "utf-8")
    return subprocess.Popen(
        [sys.executable, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


@pytest.mark.parametrize("end", ["", "client.close()"])
def test_a_script_needs_no_guard(tmp_path, end):
    script = run_script(tmp_path, end)
    out, err = script.communicate(timeout=60)
    assert (out, err, script.returncode) == ("once\n42\n", "", 0)


def test_the_cluster_ends_with_a_killed_script(tmp_path):
    script = run_script(tmp_path, "import time; time.sleep(60)")
    with script:
        assert script.stdout is not None
        assert [script.stdout.readline() for _ in range(2)] == ["once\n", "42\n"]
        processes = psutil.Process(script.pid).children(recursive=True)
        assert len(processes) >= 2
        script.kill()
    until(lambda: not any(map(alive, processes)))


def test_what_fails_at_the_start_is_said(monkeypatch):
    monkeypatch.setenv("DASK_DISTRIBUTED__NANNY__PRELOAD", "no_such_module_here")
    with pytest.raises(RuntimeError, match=r"cluster: the workers did not start: .*no_such_module_here"):
        cluster(workers=1)
    monkeypatch.setattr("thalweg.orchestration.execution.cluster.PROGRAM", "no_such_program.py")
    with pytest.raises(RuntimeError, match="cluster: its process ended with exit status 2"):
        cluster(workers=1)


def memory_limits(client):
    return [worker["memory_limit"] for worker in client.scheduler_info(n_workers=-1)["workers"].values()]


def test_one_worker_for_each_core_and_memory_as_given(client):
    client.wait_for_workers(2, timeout=60)  # a test before this one may have killed one
    assert memory_limits(client) == [MEMORY_LIMIT // 2] * 2
    with cluster(memory_limit="1 GiB") as other:
        assert memory_limits(other) == [2**30] * available_threads()


# --- dashboard ---------------------------------------------------------------------------------------------------


def test_there_is_no_link_where_there_is_no_dashboard(client):
    assert client.dashboard_link is None


def test_two_dashboards_take_two_ports():
    pytest.importorskip("bokeh")
    with cluster(workers=1, dashboard=True) as first, cluster(workers=1, dashboard=True) as second:
        links = {first.dashboard_link, second.dashboard_link}
    assert len(links) == 2
    assert all(re.fullmatch(r"http://127\.0\.0\.1:\d+/status", link) for link in links)


def test_without_bokeh_a_dashboard_is_no_failure(tmp_path, monkeypatch):
    (tmp_path / "bokeh.py").write_text("raise ImportError('not installed')", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with cluster(workers=1, dashboard=True) as client:
        assert client.dashboard_link is None
        assert client.submit(pow, 2, 10).result() == 1024


# --- TLS ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Paths, by role, of one certificate made by `distributed`."""
    security = Security.temporary()
    folder = tmp_path_factory.mktemp("certificates")
    paths = {}
    for name in FILES:
        paths[name] = folder / f"{name}.pem"
        paths[name].write_text(getattr(security, name), "utf-8")
    return paths


def test_only_the_holder_of_the_certificate_gets_in():
    with cluster(workers=1, tls=True) as client:
        address = client.scheduler.address
        assert address.startswith("tls://")
        assert all(worker.startswith("tls://") for worker in client.nthreads())
        assert client.submit(pow, 2, 10).result() == 1024
        for stranger, security in ((address, Security.temporary()), (address.replace("tls", "tcp"), None)):
            with pytest.raises(OSError):
                Client(stranger, security=security, timeout=1)


def test_certificates_from_files(certificate):
    with cluster(workers=1, tls=certificate) as client:
        assert client.submit(pow, 2, 10).result() == 1024


def test_true_says_what_is_to_be_installed(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "cryptography"] + ["cryptography"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="tls: True needs the package cryptography"):
        cluster(workers=1, tls=True)


def test_wrong_certificates_are_refused(certificate, tmp_path):
    torn = tmp_path / "torn.pem"
    torn.write_text("not a certificate", "utf-8")
    cases = [
        ({"tls_ca": "x"}, "got 'tls_ca', expected paths under tls_ca_file"),
        ({"tls_ca_file": "nowhere.pem"}, "tls_ca_file is 'nowhere.pem'"),
        (certificate | {"tls_worker_cert": torn}, "the certificate of the worker cannot be used"),
        ({"tls_ca_file": certificate["tls_ca_file"]}, "the scheduler has no certificate"),
        (Security(), "got a Security without certificates"),
    ]
    for tls, message in cases:
        with pytest.raises(ValueError, match=re.escape(message)):
            cluster(workers=1, tls=tls)


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"workers": 0}, ValueError, "workers: got 0, expected at least 1"),
        ({"workers": 1.5}, TypeError, "workers: got 1.5"),
        ({"workers": True}, TypeError, "workers: got True"),
        ({"memory_limit": "a lot"}, ValueError, "memory_limit: got 'a lot', expected 'auto'"),
        ({"memory_limit": -1}, ValueError, "memory_limit: got -1, expected 'auto'"),
        ({"memory_limit": float("inf")}, ValueError, "memory_limit: got inf, expected 'auto'"),
        ({"memory_limit": True}, ValueError, "memory_limit: got True, expected 'auto'"),
        ({"tls": "yes"}, TypeError, "tls: got str, expected True"),
        ({"dashboard": ":8787"}, TypeError, "dashboard: got ':8787', expected True or False"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        cluster(**{"workers": 1, **arguments})


# --- check_workers -----------------------------------------------------------------------------------------------


@pytest.fixture
def disguised(client):
    """Give the first worker other versions."""
    first = min(client.nthreads())

    def fake(**versions):
        import importlib.metadata

        true = importlib.metadata.version

        def version(name):
            if versions.get(name, "") is None:
                raise importlib.metadata.PackageNotFoundError(name)
            return versions.get(name) or true(name)

        version.true = true
        importlib.metadata.version = version

    def show_true_ones():
        import importlib.metadata

        importlib.metadata.version = importlib.metadata.version.true

    def disguise(**versions):
        client.run(fake, workers=[first], **versions)
        return first

    yield disguise
    client.run(show_true_ones, workers=[first])


def test_equal_workers_pass_and_say_what_they_are(client):
    workers = check_workers(client)
    assert set(workers) == set(client.nthreads())
    assert list(workers.values()) == [describe(PACKAGES)] * 2


def test_other_versions_are_refused(client, disguised):
    first = disguised(numba="0.60.0", numpy="1.26.4")
    here = describe(PACKAGES)
    message = (
        f"client: 1 of 2 workers differ from this process: {first} has numba 0.60.0 (here {here['numba']}), numpy 1.2"
    )
    with pytest.raises(RuntimeError, match=re.escape(message)):
        check_workers(client)


def test_a_worker_without_thalweg_is_refused(client, disguised):
    first = disguised(thalweg=None)
    with pytest.raises(RuntimeError, match=f"{first} has thalweg not installed .*Install the same versions there"):
        check_workers(client)


def test_the_question_does_not_need_thalweg_on_the_worker():
    import cloudpickle

    module = sys.modules[describe.__module__]
    cloudpickle.register_pickle_by_value(module)
    try:
        pickled = cloudpickle.dumps(describe)
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    program = (
        "import pickle, sys; sys.modules['thalweg'] = None; print(pickle.load(sys.stdin.buffer)(['numpy', 'x'])['x'])"
    )
    run = subprocess.run([sys.executable, "-c", program], input=pickled, capture_output=True, check=True)
    assert run.stdout.strip() == b"None"


@pytest.mark.parametrize(
    ("cpu", "features", "told"),
    [("skylake", "+avx2", "has skylake."), (None, "+new1,+new2", "with +new1, +new2.")],
)
def test_another_cpu_is_worth_one_warning(client, monkeypatch, cpu, features, told):
    here = describe(PACKAGES)
    ask = compatibility._ask
    monkeypatch.setattr(
        compatibility,
        "_ask",
        lambda client: {a: w | {"cpu": cpu or here["cpu"], "features": features} for a, w in ask(client).items()},
    )
    with pytest.warns(UserWarning, match=rf"client: 2 of 2 workers have another CPU .*{re.escape(told)}") as caught:
        check_workers(client)
    assert len(caught) == 1


@pytest.mark.parametrize("client", [None, "tcp://127.0.0.1:8786", 2])
def test_what_is_no_client(client):
    with pytest.raises(TypeError, match=r"expected a distributed\.Client"):
        check_workers(client)


def test_a_cluster_without_workers_and_then_with_one_and_then_closed():
    """Threads in place of processes, and an address to refuse: a foreign client."""
    with LocalCluster(n_workers=0, processes=False, dashboard_address="127.0.0.1:0") as empty:
        client = Client(empty)
        with pytest.raises(RuntimeError, match=r"client: no worker joined inproc://.* within 0\.1 s"):
            check_workers(client, timeout=0.1)
        empty.scale(1)
        assert len(check_workers(client)) == 1  # it waits
        client.close()
        with pytest.raises(RuntimeError, match=r"client: its connection to .* is 'closed', expected 'running'"):
            check_workers(client)


def test_an_asynchronous_client_is_refused(client):
    async def main():
        async with Client(client.scheduler.address, asynchronous=True) as other:
            check_workers(other)

    with pytest.raises(TypeError, match="client: got one with asynchronous=True"):
        asyncio.run(main())
