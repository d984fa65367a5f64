"""What an editor knows of the doors: the types of their arguments, ours and those of other libraries that are taken.

tests/test_typing.py keeps them equal to what the doors take."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypedDict

import numpy as np

from ...kernels.problem import Problem
from ..contract import Solver
from .method_names import Method


class HasEnds(Protocol):
    """scipy.optimize.Bounds."""

    lb: Any
    ub: Any


Array = np.ndarray[Any, Any]
Fun = Callable[..., Any] | Problem
Box = Sequence[Sequence[float | None]] | Array | HasEnds
Point = float | Sequence[float] | Array
Points = Point | Sequence[Sequence[float]]
AnyMethod = Method | Solver
Seed = int | np.integer | np.random.Generator | np.random.RandomState | None
Workers = Any  # int, a callable like map, or a distributed.Client
File = str | os.PathLike[str] | None
Whole = bool | Sequence[bool | int] | Array | None


class Foreign(TypedDict, total=False):
    """Arguments of other libraries, where they are taken (foreign.py)."""

    maxiter: int
    max_iter: int
    maxiters: int
    n_gen: int
    gen: int
    generations: int
    n_iter: int
    maxfun: int
    maxfev: int
    max_nfev: int
    maxfevals: int
    max_evaluations: int
    max_fun_evals: int
    n_eval: int
    maxeval: int
    n_trials: int
    n_calls: int
    budget: int
    timeout: float
    maxtime: float
    random_state: Seed
    rng: Seed
    rg: Seed
    disp: bool | int
    verbose: bool | int
    verb_disp: int
    show_progress_bar: bool
    n_jobs: int
    ftarget: float
    stop_fitness: float
    target_value: float
    guess: Points
    num_retries: int
    n_restarts: int
    lb: Point
    ub: Point
    xl: Point
    xu: Point
    pop_size: int
    population_size: int
    popsize: float
    tol: float
    fatol: float
    xatol: float
    xtol: float
    gtol: float
    eta: float
    initial_trust_radius: float
    max_trust_radius: float
    maxcor: int
    maxls: int
    xrtol: float
    lr: float
    learning_rate: float
    locally_biased: bool
    len_tol: float
    initial_simplex: Points
    strategy: str
    mutation: float
    recombination: float
    sigma0: float
    input_sigma: float
    niter: int
    T: float
    stepsize: float
    niter_success: int
    target_accept_rate: float
    stepwise_factor: float
    interval: int
    minimizer_kwargs: Mapping[str, Any]
    initial_temp: float
    restart_temp_ratio: float
    visit: float
    accept: float
    no_local_search: bool
    updating: Literal["deferred"]
    init: Literal["random"]
    vectorized: Literal[False]
    constraints: tuple[()]


class OptimizerSettings(Foreign, total=False):
    integrality: Whole
    run: int
    max_evals: int | None
    max_iters: int | None
    target: float | None
    ftol: float | None
    patience: int | None


class Common(Foreign, total=False):
    """What the other doors take by name."""

    integrality: Whole
    seed: Seed
    options: Mapping[str, Any] | Any
    max_evals: int | None
    max_iters: int | None
    target: float | None
    ftol: float | None
    patience: int | None


class MinimizeSettings(Common, total=False):
    check: bool
    polish: bool | Literal["auto"]
    jac: Callable[..., Any] | bool | Literal["2-point", "3-point", "cs"] | None
    hess: Callable[..., Any] | None
    hessp: Callable[..., Any] | None
    restarts: int
    runs: int
    threads: int | None
    workers: Workers
    device: Literal["cpu", "cuda"]
    max_time: float | None
    callback: Callable[..., Any] | None
    callback_every: Literal["generation"] | None
    progress: bool
    checkpoint: File


class SumSettings(TypedDict, total=False):
    """Of `minimize` of a DataSum."""

    bounds: Box | None
    method: AnyMethod | Literal["sgd", "saga", "svrg", "hogwild"] | None
    batch_size: int | None
    epochs: int | None
    average: bool | int
    validation: Any
    validation_fraction: float | None
    tol: float | None
    seed: Seed
    threads: int | None
    max_evals: int | None
    max_iters: int | None
    max_time: float | None
    target: float | None
    ftol: float | None
    patience: int | None
    callback: Callable[..., Any] | None
    progress: bool
    options: Mapping[str, Any] | Any
    schedule: str | None


class ManySettings(Common, total=False):
    """What `restarts` and `islands` share."""

    client: Any
    threads: int | None
    max_time: float | None
    progress: bool
    retries: int
    task_timeout: float | None


class RestartsSettings(ManySettings, total=False):
    runs: int
    restarts: int
    coordinated: bool
    round_size: int | None
    workers: Workers
    callback: Callable[..., Any] | None
    total_evals: int | None
    journal: File


class IslandsSettings(ManySettings, total=False):
    islands: int
    every: int
    topology: Literal["ring", "fully_connected", "random"]
    migrants: int
    checkpoint: File
