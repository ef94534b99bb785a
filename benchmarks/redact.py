"""Measure masking: CPU seconds to mask and to scan log text, one line in a hundred of which holds a secret.

python benchmarks/redact.py             # 50 MB
python benchmarks/redact.py --mb 5
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from investigator.report.redact import Redactor, scan

CORPUS = Path(__file__).resolve().parents[1] / "tests" / "report" / "secret_corpus.py"


def corpus() -> ModuleType:
    """The secrets corpus of the tests."""
    spec = importlib.util.spec_from_file_location("secret_corpus", CORPUS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def cpu_s(job: Callable[[], object]) -> float:
    """CPU seconds of a job."""
    start = time.process_time()
    job()
    return round(time.process_time() - start, 3)


def main() -> None:
    """Print JSON: bytes, CPU seconds of masking and of the final scan, secrets found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=50)
    text = corpus().log_text(parser.parse_args().mb * 1_000_000)
    redactor, masked = Redactor(), []
    mask_s = cpu_s(lambda: masked.append(redactor.mask(text)))
    scan_s = cpu_s(lambda: scan(masked[0]))
    found = sum(redactor.receipt.values())
    print(json.dumps({"bytes": len(text.encode()), "mask_cpu_s": mask_s, "scan_cpu_s": scan_s, "secrets": found}))


if __name__ == "__main__":
    main()
