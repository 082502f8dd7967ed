"""The first generation's GPU database, and which GPUs a machine has."""
import os
import shutil
import subprocess
import sys

import harness
from gpu_specs_database import GPUSpecsDatabase
from harness import Skipped, raises

DETECT = """
from gpu_specs_database import GPUSpecsDatabase
database = GPUSpecsDatabase()
found = database.detect_gpu()
print(database.detected_names(), found and found.name)
"""

# As much of NVML as is asked, of a machine with two GPUs.
NVML = r"""
#include <cstdio>
extern "C" {
int nvmlInit_v2() { return INIT; }
int nvmlShutdown() { return 0; }
int nvmlDeviceGetCount_v2(unsigned* count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  static int devices[2];
  *device = &devices[index];
  devices[index] = static_cast<int>(index);
  return 0;
}
int nvmlDeviceGetName(void* device, char* name, unsigned length) {
  const char* names[] = {"NVIDIA Quantum 1", "NVIDIA A100-SXM4-80GB"};
  std::snprintf(name, length, "%s", names[*static_cast<int*>(device)]);
  return 0;
}
}
"""


def detected(**environment):
    """What a new process says, with `environment` over its own."""
    env = {**os.environ, **environment}
    done = subprocess.run([sys.executable, "-c", DETECT], env=env, text=True, capture_output=True,
                          check=True, timeout=60)
    return done.stdout.strip()


def fake_nvml(init):
    compiler = shutil.which("c++")
    if compiler is None:
        raise Skipped("no C++ compiler to make a fake NVML with")
    source = harness.scratch / "nvml.cpp"
    source.write_text(NVML.replace("INIT", str(init)))
    subprocess.run([compiler, "-shared", "-fPIC", source, "-o",
                    harness.scratch / "libnvidia-ml.so.1"], check=True)


def fake_smi(script):
    path = harness.scratch / "nvidia-smi"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)


def test_specs():
    database = GPUSpecsDatabase()
    t4 = database.get_gpu_specs("T4")
    assert (t4.peak_fp16_tflops, t4.memory_bandwidth_gb_s, t4.sm_count) == (65, 320, 40)
    assert (t4.memory_size_gb, t4.cuda_cores_per_sm, t4.compute_capability) == (16, 64, "7.5")
    for alias in ("Tesla T4", "tesla_t4", "NVIDIA T4"):
        assert database[alias] == t4
    # Both were wrong in the first generation.
    assert round(database["L40S"].peak_fp16_tflops) == 362
    assert round(database["A10G"].peak_fp16_tflops) == 70
    assert database["A100_80G"].memory_bandwidth_gb_s == 2039
    for name in ("V100", "RTX 4090", "A100", "A100_40G", "H100", "H200", "L4"):
        assert name in database and database[name].peak_fp16_tflops > 100
    assert list(t4.to_dict()) == ["name", "peak_fp16_tflops", "memory_bandwidth_gb_s", "sm_count",
                                  "cuda_cores_per_sm", "memory_size_gb", "compute_capability"]


def test_listing():
    database = GPUSpecsDatabase()
    names = database.list_gpus()
    assert "T4" in names and list(database) == names and len(database) == len(names)
    assert set(database.all_specs()) == set(names)


def test_unknown():
    with raises(ValueError, "H300", "H100-SXM"):
        GPUSpecsDatabase().get_gpu_specs("H300")
    assert "H300" not in GPUSpecsDatabase() and 5 not in GPUSpecsDatabase()


def test_detection_without_a_gpu():
    fake_nvml(init=9)  # a library without a driver
    library = str(harness.scratch)
    assert detected(PATH=library, LD_LIBRARY_PATH=library) == "[] None"
    for script in ("exit 9", "echo", "kill $$"):
        fake_smi(script)
        assert detected(PATH=library, LD_LIBRARY_PATH=library) == "[] None"


def test_detection_by_nvml():
    fake_nvml(init=0)
    assert (detected(LD_LIBRARY_PATH=str(harness.scratch))
            == "['NVIDIA Quantum 1', 'NVIDIA A100-SXM4-80GB'] A100-SXM-80GB")


def test_detection_by_nvidia_smi():
    fake_nvml(init=9)
    fake_smi("echo Tesla T4; echo NVIDIA L4")
    library = str(harness.scratch)
    assert detected(PATH=library, LD_LIBRARY_PATH=library) == "['Tesla T4', 'NVIDIA L4'] T4"


if __name__ == "__main__":
    harness.main(globals())
