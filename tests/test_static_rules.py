"""Rules about the source itself: what the package imports, calls and exports, and what it costs to import."""

import ast
import importlib
import inspect
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import textwrap

import keras
import pytest

import keras_losses as kl
from keras_losses.core.batch_loss import BatchLoss
from keras_losses.core.names import snake_case
from keras_losses.core.record import BASE
from keras_losses.core.registry import ALIASES, public
from tests.reference import REFERENCES

PACKAGE = pathlib.Path(kl.__file__).parent
TESTS = pathlib.Path(__file__).parent
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}

BACKENDS = {"jax", "jaxlib", "torch", "tensorflow"}
BACKEND_ROOMS = {"testing/gradients.py", "core/replicas.py"}  # the tests' gradient helper, the gather over replicas
# The command line writes a picture, and its modules are only imported by it.
FILE_ROOMS = {"plot.py", "demo.py", "__main__.py", "cli/locate.py"}
# A check pickles what it has just made; comparing backends takes a process of the same interpreter for each.
ROOMS = {"testing/checks/contract.py": {"pickle"}, "testing/elsewhere.py": {"subprocess", "importlib.import_module"}}
FORBIDDEN_MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "marshal",
    "shelve",
    "socket",
    "ssl",
    "http",
    "urllib",
    "requests",
}
FORBIDDEN_MODULES |= {"subprocess", "ctypes", "tempfile", "shutil", "io", "zipfile", "runpy", "code", "multiprocessing"}
FORBIDDEN_CALLS = {"open", "eval", "exec", "compile", "__import__", "breakpoint", "input"}
FORBIDDEN_METHODS = {
    "os.system",
    "os.popen",
    "os.open",
    "os.remove",
    "os.unlink",
    "importlib.import_module",
    "np.load",
    "np.save",
}
FORBIDDEN_METHODS |= {
    f"*.{name}" for name in ("read_text", "read_bytes", "write_text", "write_bytes", "savefig", "urlopen", "Popen")
}


# -- what a module may do ---------------------------------------------------------------------------------------------------


def imports(source):
    """Every module that a source imports, in functions too; `from a import b` is both `a` and `a.b`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def dotted(node):
    """`os.path.join` of an expression, with `*` for what is not a name."""
    if isinstance(node, ast.Name):
        return node.id
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else "*"


def calls(source):
    return (dotted(node.func) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


def backend_imports(source):
    return [name for name in imports(source) if name.split(".")[0] in BACKENDS]


def unsafe(source):
    found = [name for name in imports(source) if name.split(".")[0] in FORBIDDEN_MODULES]
    for name in calls(source):
        if name in FORBIDDEN_CALLS or name in FORBIDDEN_METHODS or f"*.{name.rsplit('.', 1)[-1]}" in FORBIDDEN_METHODS:
            found.append(name)
    return found


def private_keras(source):
    found = [name for name in imports(source) if name.startswith("keras.src")]
    return found + [
        node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute) and dotted(node) == "keras.src"
    ]


@pytest.mark.parametrize("module", MODULES)
def test_no_module_imports_a_backend(module):
    found = backend_imports(MODULES[module].read_text())
    assert bool(found) == (module in BACKEND_ROOMS), found


@pytest.mark.parametrize("module", MODULES)
def test_no_module_reaches_out(module):
    """No pickle, eval, exec, socket or file in the package, the command line aside."""
    found = unsafe(MODULES[module].read_text())
    assert module in FILE_ROOMS or set(found) == ROOMS.get(module, set()), found


def test_the_package_alone_imports_no_module_of_the_command_line():
    rooms = {f"keras_losses.{name.removesuffix('.py').replace('/', '.')}" for name in FILE_ROOMS}
    for module, path in MODULES.items():
        if module not in FILE_ROOMS and not module.startswith("cli/"):
            # A picture is drawn when it is asked for: the import stands in the method.
            drawn = {"keras_losses.plot"} if module == "diagnosis/insight.py" else set()
            assert (rooms & set(imports(path.read_text()))) <= drawn, module


@pytest.mark.parametrize("module", MODULES)
def test_private_keras_is_in_one_file(module):
    found = private_keras(MODULES[module].read_text())
    assert bool(found) == (module == "core/private.py"), found


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (backend_imports, "import torch"),
        (backend_imports, "def f():\n    import jax.numpy as jnp"),
        (backend_imports, "from tensorflow import keras"),
        (backend_imports, "if True:\n    from jax import lax"),
        (unsafe, "import pickle"),
        (unsafe, "from urllib.request import urlopen"),
        (unsafe, "with open('x') as f: pass"),
        (unsafe, "x = [eval('1')]"),
        (unsafe, "import os\nos.system('x')"),
        (unsafe, "import pathlib\npathlib.Path('x').read_text()"),
        (unsafe, "figure.savefig('x')"),
        (unsafe, "import numpy as np\nnp.load('x')"),
        (private_keras, "from keras.src import ops"),
        (private_keras, "import keras.src.backend as b"),
        (private_keras, "import keras\nkeras.src.backend"),
    ],
)
def test_a_rule_can_fail(rule, source):
    assert rule(source)
    assert not rule("import keras\nfrom keras import ops\nimport jaxtyping_like\nopened = ops.exp(evaluate('import torch'))")


SOURCES = [*MODULES.values(), *sorted(TESTS.rglob("*.py"))]


def test_no_file_is_long():
    long = {path.name: lines for path in SOURCES if (lines := len(path.read_text().splitlines())) > 400}
    assert not long


# -- what is exported -------------------------------------------------------------------------------------------------------

CLASSES = {name: x for name, x in public().items() if isinstance(x, type)}
FUNCTIONS = {name: x for name, x in public().items() if not isinstance(x, type)}
FORMULAS = sorted(CLASSES.keys() - {"Sum"})  # a sum has no formula of its own: its terms do


def subclasses(cls):
    for each in cls.__subclasses__():
        yield each
        yield from subclasses(each)


def is_base(cls):
    """Whether a class is a base of losses and no loss: it leaves a method open that its subclasses write.

    Such a method raises NotImplementedError and nothing else, as `Elementwise.element` does.
    """
    methods = [x for each in cls.__mro__ for x in vars(each).values() if inspect.isfunction(x)]
    latest = {x.__name__: x for x in reversed(methods)}
    # A loss that holds losses has their values, and no `call` of its own.
    return any(
        _is_open(x) for name, x in latest.items() if name != "call" or cls._values in (kl.Loss._values, BatchLoss._values)
    )


def _is_open(function):
    if not function.__module__.startswith("keras_losses.") or function.__code__.co_filename.startswith("<"):
        return False  # Keras's, or generated from the fields
    body = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0].body
    body = [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return len(body) == 1 and isinstance(body[0], ast.Raise) and "NotImplementedError" in ast.unparse(body[0])


def test_every_loss_is_exported():
    """A class of a family is exported, unless it is private or leaves a method open."""
    for cls in {c for c in subclasses(kl.Loss) if c.__module__.startswith("keras_losses.")}:
        if getattr(sys.modules[cls.__module__], cls.__name__, None) is not cls:
            continue  # made by an example in a docstring
        exported = getattr(kl, cls.__name__, None) is cls
        assert exported == (not cls.__name__.startswith("_") and not is_base(cls)), cls
        assert exported == (cls.__name__ in CLASSES), cls


def test_bases_are_told_from_losses():
    found = {c.__name__ for c in subclasses(kl.Loss) if c.__module__.startswith("keras_losses.") and is_base(c)}
    assert {"Elementwise", "Overlap"} <= found
    assert not found & CLASSES.keys()
    assert is_base(kl.Loss)


def test_all_is_complete():
    """`__all__` holds the losses, the functions, a few tools and the families, and nothing by accident."""
    tools = {
        "Loss",
        "callbacks",
        "debugging",
        "diagnose",
        "deserialize",
        "effective_number_weights",
        "function_of",
        "get",
        "linear_cross_entropy",
        "linear_kl_divergence",
        "per_sample",
        "serialize",
        "spec",
    }
    families = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert len(kl.__all__) == len(set(kl.__all__))
    assert set(kl.__all__) - families == tools | set(public())
    assert set(kl.__all__) <= set(vars(kl))
    for path in PACKAGE.glob("*/__init__.py"):
        module = importlib.import_module(f"keras_losses.{path.parent.name}")
        assert all(hasattr(module, name) for name in getattr(module, "__all__", ()))


@pytest.mark.parametrize("name", FORMULAS)
def test_a_class_has_its_function(name):
    function = getattr(kl, snake_case(name))
    assert function.__name__ == snake_case(name)
    assert function.loss_class is CLASSES[name]
    assert function.__module__ == CLASSES[name].__module__


def test_a_function_has_its_class():
    assert {f.loss_class for f in FUNCTIONS.values()} == {CLASSES[name] for name in FORMULAS}
    for name, function in FUNCTIONS.items():
        assert name == function.__name__ or ALIASES[name] == function.__name__


@pytest.mark.parametrize("name", FORMULAS)
def test_a_loss_has_a_reference_and_a_case(name):
    reference, cases = REFERENCES[name]
    assert callable(reference)
    assert cases
    assert reference.__module__.startswith("tests.reference.")


def test_a_reference_has_its_loss():
    assert set(REFERENCES) == set(FORMULAS)


@pytest.mark.parametrize("name", sorted(n for n in dir(keras.losses) if not n.startswith("_")))
def test_every_public_name_of_keras_losses_is_here(name):
    ours = getattr(kl, name)
    assert name in kl.__all__
    assert isinstance(ours, type) == isinstance(getattr(keras.losses, name), type)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_docstring_says_what_a_user_needs(name):
    doc = inspect.getdoc(CLASSES[name])
    own = [p for p in inspect.signature(CLASSES[name]).parameters if p not in (*BASE, "gather")]  # documented by their base
    for heading in ("Formula", "Shapes:", "Returns:", "Raises:", "Example:", "Reference:", *(["Args:"] if own else [])):
        assert re.search(rf"^{heading}", doc, re.MULTILINE), f"{heading} is missing"
    for parameter in own:
        assert re.search(rf"^ +{parameter}: ", doc, re.MULTILINE), f"{parameter} is not documented"
    assert ">>> " in doc


# -- what an import costs -----------------------------------------------------------------------------------------------------

TIMES = """
import json, sys, time
start = time.process_time()
import keras
middle, before = time.process_time(), set(sys.modules)
import keras_losses
print(json.dumps([middle - start, time.process_time() - middle, sorted(set(sys.modules) - before)]))
"""


def python(code, *arguments, **environment):
    home = str(PACKAGE.parent)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")])), **environment}
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=env, check=False)


def test_import_is_cheap():
    runs = [json.loads(python(TIMES).stdout.splitlines()[-1]) for _ in range(3)]
    stray = {name.split(".")[0] for name in runs[0][2]} & {
        "matplotlib",
        "sklearn",
        "rich",
        "pytest",
        "hypothesis",
        "scipy",
        "IPython",
    }
    assert not stray
    assert all(name.split(".")[0] == "keras_losses" or name.split(".")[0] in sys.stdlib_module_names for name in runs[0][2]), (
        runs[0][2]
    )
    # The median of what each process adds to its own `import keras`, in its own time: others on the machine do not count.
    added = statistics.median(own for _, own, _ in runs)
    of_keras = statistics.median(of_keras for of_keras, _, _ in runs)
    print(f"import keras_losses adds {added:.3f} s to {of_keras:.2f} s of import keras")
    assert added <= 0.3


BLOCKED = """
import importlib.abc, sys
hidden = set(sys.argv[1].split(","))
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Finder())
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name.split(".")[0] in hidden else find_spec(name, package)
try:
    import keras_losses
except ImportError as error:
    print("MESSAGE", error)
"""


def message_without(*hidden, backend):
    run = python(BLOCKED, ",".join(hidden), KERAS_BACKEND=backend, TF_CPP_MIN_LOG_LEVEL="3")
    lines = [line for line in run.stdout.splitlines() if line.startswith("MESSAGE ")]
    assert lines, run.stdout[-500:] + run.stderr[-2000:]
    return lines[-1].removeprefix("MESSAGE ")


def test_without_the_chosen_backend_the_message_names_another():
    """One sentence: which backends are installed, and which variable to set."""
    present = keras.backend.backend()
    missing = next(name for name in ("jax", "torch", "tensorflow") if name != present)
    others = {"jax", "torch", "tensorflow", "jaxlib"} - {present, "jaxlib" if present == "jax" else ""}
    message = message_without(*others, backend=missing)
    assert f"Keras could not start the backend {missing}" in message
    assert f"installed here: {present}" in message
    assert f"set KERAS_BACKEND={present}" in message
    assert len(message) < 400


def test_without_any_backend_the_message_says_what_to_install():
    message = message_without("jax", "jaxlib", "torch", "tensorflow", backend="jax")
    assert "none is installed here" in message
    assert "pip install 'keras-losses[jax]'" in message
    assert "KERAS_BACKEND=jax" in message


def test_without_keras_the_message_says_so():
    message = message_without("keras", backend="jax")
    assert message == "keras_losses needs Keras 3: pip install keras, and one of jax, torch and tensorflow."
