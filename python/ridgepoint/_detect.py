"""Which GPUs this machine has, by the driver: no CUDA is needed."""

from __future__ import annotations

# What these functions need is imported in them: few programs call them, and all import this.


def _nvml_names() -> list[str]:
    """Raises OSError where there is no driver."""
    import ctypes

    nvml = ctypes.CDLL("libnvidia-ml.so.1")
    if nvml.nvmlInit_v2() != 0:
        raise OSError("NVML does not start")
    try:
        count = ctypes.c_uint()
        if nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
            raise OSError("NVML does not count GPUs")
        names = []
        for index in range(count.value):
            device, text = ctypes.c_void_p(), ctypes.create_string_buffer(96)
            if nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device)) == 0:
                if nvml.nvmlDeviceGetName(device, text, len(text)) == 0:
                    names.append(text.value.decode())
        return names
    finally:
        nvml.nvmlShutdown()


def _smi_names() -> list[str]:
    """Raises OSError where nvidia-smi is missing or fails."""
    import subprocess

    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except subprocess.SubprocessError as error:
        raise OSError(str(error)) from error
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def detected_gpus() -> list[str]:
    """What the driver calls each GPU of this machine ("NVIDIA H200"); empty where there is none."""
    for names in (_nvml_names, _smi_names):
        try:
            return names()
        except (OSError, AttributeError):  # no driver, or one without these functions
            continue
    return []


def detect_gpu() -> str | None:
    """The first of detected_gpus(), or None."""
    return next(iter(detected_gpus()), None)
