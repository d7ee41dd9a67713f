"""Machines without the OpenMP library are told what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest

LACKING = """
import sys
class Loader:
    def find_spec(self, name, *_):
        if name == "lightgbm":
            raise OSError("libgomp.so.1: cannot open shared object file: No such file or directory")
sys.meta_path.insert(0, Loader())
from {module} import main
main({arguments})
"""


@pytest.mark.parametrize(
    ("module", "arguments"), [("recsvc.cli.starting", ["recommend", "1111"]), ("training.cli", ["--help"])]
)
def test_without_openmp_both_programs_name_the_package_to_install(module: str, arguments: list[str]) -> None:
    program = LACKING.format(module=module, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "apt-get install libgomp1" in done.stderr
    assert "Traceback" not in done.stderr
