"""`nox` runs everything: lint, types, the suite on each backend, their comparison, and the built wheel.

Each backend session has an environment that holds only that backend. `nox -l` lists the sessions; arguments after `--`
go to pytest, as in `nox -s tests-jax -- -k Huber`.
"""

import json
import pathlib
import shutil
import tempfile

import nox

nox.needs_version = ">=2025.2.9"
nox.options.reuse_existing_virtualenvs = True
nox.options.default_venv_backend = "virtualenv"  # and so pip, the installer that users have

ROOT = pathlib.Path(__file__).parent
BACKENDS = {
    "jax": ["jax", "jaxlib"],
    "torch": ["torch"],
    # The build without CUDA where there is one: a third of the size.
    "tensorflow": ["tensorflow-cpu; sys_platform == 'linux'", "tensorflow; sys_platform != 'linux'"],
}
# The oldest pair that passes: Keras 3.9 calls `jax.spmd_mode`, which is gone; the XLA of jax 0.8.0 multiplies transposed
# constants wrongly.
OLDEST = ["keras==3.10.0", "jax==0.8.1", "jaxlib==0.8.1"]

nox.options.sessions = ["lint", "types", *(f"tests-{backend}" for backend in BACKENDS), "numpy", "parity", "wheel"]

PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
DEMO = PYPROJECT["project"]["optional-dependencies"]["demo"]
# Losses over the whole suite are small: two workers with one thread each are faster than threads that compete.
# A worker keeps all tests of one `xdist_group`, so that they share what was compiled.
WORKERS = ["-n", "2", "--dist", "loadgroup"]
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
}
# XLA compiles a program for every loss, shape and dtype, which took most of the session on JAX. With these it takes a quarter
# of the time, and the numbers are held to the same tolerances; what is promised of compiled steps runs once more as users
# compile.
COMPILE_FAST = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false --xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false "
    "--xla_cpu_parallel_codegen_split_count=1"
}
COMPILE_FULLY = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
COMPILED_BY_XLA = ("jax", "tensorflow")
ON_CPU = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu", "KERAS_TORCH_DEVICE": "cpu"}
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "0", "MPLBACKEND": "agg"}

# What a wheel could lack: modules, exports, data, registration, the command line, types. The formulas are the same files.
PACKAGED = "static_rules get cli docs demo user_losses fit"
PACKAGED = [f"tests/test_{name}.py" for name in PACKAGED.split()]
# Configs are written and checked before a backend has any part in it: one session tries them all. What a loss computes after a
# round trip is among the checks of conformance, which run in each.
CONFIGS = ["tests/test_config.py", "tests/test_config_security.py", "tests/test_config_security_files.py"]
CONFIG_BACKEND = "torch"  # the fastest to start

summaries = {}  # of the backend sessions in this run


def group(name):
    return nox.project.dependency_groups(PYPROJECT, name)


def install(session, *requirements):
    session.install("-c", str(ROOT / "constraints.txt"), *requirements)


def environment(session, backend):
    return {
        "KERAS_BACKEND": backend,
        "KERAS_LOSSES_PARITY_DIR": str(folder(session, "parity")),
        "KERAS_LOSSES_SUMMARY_DIR": str(folder(session, "summary")),
        **ONE_THREAD,
        **ON_CPU,
        **COMPILE_FAST,
        **QUIET,
    }


def keeping_programs(session):
    """What a worker compiled on JAX it loads when it needs it again: from a folder that starts empty, so every run compiles."""
    shutil.rmtree(folder(session, "programs"))
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder(session, "programs")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def folder(session, name):
    path = session.cache_dir.resolve() / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def read_summary(session, backend):
    path = folder(session, "summary") / f"{backend}.json"
    return json.loads(path.read_text()) if path.exists() else None


def report(session, backend):
    """One line a backend, and one over all of them after the last."""
    summary = read_summary(session, backend)
    if summary is None:
        session.warn(f"{backend}: pytest ended before it could count its tests")
        return
    summaries[backend] = summary
    skipped = "; ".join(f"{number} x {reason}" for reason, number in sorted(summary["skipped"].items())) or "none"
    session.log(
        f"{backend}: {summary['losses']} losses, {summary['checks']} checks, {summary['cases']} cases; "
        f"{summary['passed']} passed, {summary['failed']} failed, skipped: {skipped}; "
        f"{summary['seconds']:.0f} s, {summary['seconds_per_loss']:.1f} s a loss"
    )
    if summaries.keys() == BACKENDS.keys():
        seconds = sum(each["seconds_per_loss"] for each in summaries.values())
        session.log(f"all backends: {seconds:.1f} seconds a loss costs over all backends")


@nox.session
def lint(session):
    """ruff: rules and format."""
    install(session, *group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session):
    """pyright: the package, and the typing test in strict mode."""
    install(session, *group("types"), *group("test"), *DEMO, "-e", ".")
    session.run("pyright", *session.posargs)


def run_tests(session, backend):
    """The whole suite on one backend. Writes the values and gradients that the parity session compares."""
    install(session, *BACKENDS[backend], *group("test"), "-e", ".[demo,examples]")
    for other in BACKENDS.keys() - {backend}:
        session.run("python", "-c", f"import importlib.util as u; assert u.find_spec('{other}') is None, '{other}'")
    for kind in ("parity", "summary"):
        for old in folder(session, kind).glob(f"{backend}*"):
            old.unlink()
    elsewhere = ["tests/parity", "tests/peers", "tests/test_numpy_backend.py", *(CONFIGS if backend != CONFIG_BACKEND else ())]
    try:
        session.run(
            *("python", "-m", "pytest", *WORKERS, *(f"--ignore={path}" for path in elsewhere)),
            *session.posargs,
            env=environment(session, backend) | keeping_programs(session),
        )
    finally:
        report(session, backend)
    if backend in COMPILED_BY_XLA and not session.posargs:
        own = {name: session.create_tmp() for name in ("KERAS_LOSSES_PARITY_DIR", "KERAS_LOSSES_SUMMARY_DIR")}
        session.run(
            *("python", "-m", "pytest", *WORKERS, "tests/conformance.py", "tests/test_reference.py"),
            *("-k", "not-compilable or (test_float32 and default)"),
            env=environment(session, backend) | own | COMPILE_FULLY,
        )


def add_backend_session(backend):
    def tests(session):
        run_tests(session, backend)

    tests.__doc__ = f"The whole suite on {backend}, in an environment without the others."
    nox.session(name=f"tests-{backend}")(tests)


for _backend in BACKENDS:
    add_backend_session(_backend)


@nox.session(name="numpy")
def numpy_backend(session):
    """Keras's fourth backend has values and no gradients: the reference table."""
    # Keras's own NumPy backend is written with SciPy, and imports JAX for convolutions and the FFT.
    install(session, "scipy", *BACKENDS["jax"], *group("test"), "-e", ".")
    session.run(*("python", "-m", "pytest", "tests/test_numpy_backend.py", *session.posargs), env=environment(session, "numpy"))


@nox.session
def parity(session):
    """Values and gradients of the three backend sessions agree; and what needs all three installed."""
    missing = [backend for backend in BACKENDS if not list(folder(session, "parity").glob(f"{backend}*.npz"))]
    if missing:
        session.error(f"nothing to compare: run {', '.join(f'tests-{backend}' for backend in missing)} first")
    install(session, *(name for names in BACKENDS.values() for name in names), *group("test"), "-e", ".[demo,examples]")
    session.run("python", "-m", "pytest", "tests/parity", *session.posargs, env=environment(session, "jax"))


@nox.session(reuse_venv=False)
def wheel(session):
    """Builds sdist and wheel, and runs the suite against the installed wheel, away from the checkout."""
    install(session, *group("build"))
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", "dist", silent=True)
    (built,) = (ROOT / "dist").glob("*.whl")
    install(session, *BACKENDS["torch"], *group("test"), f"{built}[demo,examples]")
    with tempfile.TemporaryDirectory() as outside:
        for name in ("tests", "examples", "docs", "benchmarks"):
            if (ROOT / name).exists():
                shutil.copytree(ROOT / name, pathlib.Path(outside, name), ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "constraints.txt"):
            shutil.copy(ROOT / name, outside)
        session.chdir(outside)
        session.run(
            *("python", "-c", "import keras_losses as k; assert 'site-packages' in k.__file__, k.__file__"),
            env=environment(session, "torch"),
        )
        own = {"KERAS_LOSSES_PARITY_DIR": outside, "KERAS_LOSSES_SUMMARY_DIR": outside}
        session.run(
            *("python", "-m", "pytest", *WORKERS, "-m", "not slow", *PACKAGED, *session.posargs),
            env=environment(session, "torch") | own,
        )
        session.chdir(ROOT)


@nox.session
def oldest(session):
    """The oldest Keras that pyproject.toml admits."""
    pinned = {line.split("==")[0] for line in OLDEST}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    constraints = pathlib.Path(session.create_tmp(), "constraints.txt")
    constraints.write_text("\n".join([*(line for line in lines if line.split("==")[0] not in pinned), *OLDEST]))
    session.install("-c", str(constraints), *BACKENDS["jax"], *group("test"), "-e", ".[demo,examples]")
    own = {name: session.create_tmp() for name in ("KERAS_LOSSES_PARITY_DIR", "KERAS_LOSSES_SUMMARY_DIR")}
    session.run(
        *("python", "-m", "pytest", *WORKERS, "-m", "not slow"),
        *("--ignore=tests/parity", "--ignore=tests/test_numpy_backend.py", "--ignore=tests/test_keras_suite.py"),
        "--ignore=tests/peers",
        # Old releases warn about what came after them.
        *("-W", "ignore::DeprecationWarning", "-W", "ignore::FutureWarning"),
        *session.posargs,
        env=environment(session, "jax") | own,
    )


@nox.session
def peers(session):
    """Values and gradients beside those of other packages, in an environment of 7 GB; writes docs/parity.md."""
    pinned = ("-c", str(ROOT / "constraints-peers.txt"))
    session.install(*pinned, *group("peers"), "-e", ".")
    # Their losses need nothing of what these require for the rest: a build of mmcv, a window for OpenCV.
    session.install(*pinned, "--no-deps", *group("peers-alone"))
    own = {name: session.create_tmp() for name in ("KERAS_LOSSES_PARITY_DIR", "KERAS_LOSSES_SUMMARY_DIR")}
    env = environment(session, "torch") | own
    session.run("python", "-m", "pytest", "tests/peers", *session.posargs, env=env)
    session.run("python", "docs/parity.py", env=env)
    session.run("python", "-m", "pytest", "tests/test_parity_page.py", env=env)


FIND_ACCELERATOR = """
import importlib.util, os
installed = [name for name in ("jax", "torch", "tensorflow") if importlib.util.find_spec(name)]
backend = os.environ.get("KERAS_BACKEND") or (installed or ["none"])[0]
device = ""
if backend == "jax":
    import jax
    device = "" if jax.default_backend() == "cpu" else str(jax.devices()[0])
elif backend == "torch":
    import torch
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
elif backend == "tensorflow":
    import tensorflow as tf
    device = ", ".join(each.name for each in tf.config.list_physical_devices("GPU"))
print(backend, device, sep="|")
"""


@nox.session(venv_backend="none")
def bench(session):
    """Ratios of the losses against native code and Keras, on the backend of the active environment."""
    session.run("python", "-m", "benchmarks", *session.posargs, external=True)


@nox.session(venv_backend="none")
def gpu(session):
    """The conformance suite on the accelerator that the backend of the active environment finds."""
    found = session.run("python", "-c", FIND_ACCELERATOR, external=True, silent=True, stderr=None, log=False)
    backend, device = found.strip().splitlines()[-1].split("|")
    if not device:
        session.skip(f"The installed backend ({backend}) finds no accelerator, so there is nothing to run")
    session.log(f"{backend} on {device}")
    # One process: the tests are small, and a second one would wait for the same device.
    session.run(
        *("python", "-m", "pytest", "tests/conformance.py", *session.posargs),
        env={"KERAS_BACKEND": backend, "XLA_PYTHON_CLIENT_PREALLOCATE": "false", **QUIET},
        external=True,
    )
