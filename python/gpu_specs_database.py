"""The first generation's GPU specifications, on top of ridgepoint's datasheets.

    from gpu_specs_database import GPUSpecsDatabase

    database = GPUSpecsDatabase()
    database.get_gpu_specs("Tesla T4").memory_bandwidth_gb_s  # 320.0
    database.detect_gpu()                                     # this machine's, or None
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import ridgepoint

__all__ = ["GPUSpecs", "GPUSpecsDatabase"]


@dataclasses.dataclass(frozen=True)
class GPUSpecs:
    """Of the datasheet; peaks are dense. The fields are those of a delay-factor table's gpu_specs."""

    name: str
    peak_fp16_tflops: float
    memory_bandwidth_gb_s: float
    sm_count: int
    cuda_cores_per_sm: int
    memory_size_gb: float  # of 2^30 bytes, as datasheets have it
    compute_capability: str

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def _specs(device: ridgepoint.DeviceSpec) -> GPUSpecs:
    return GPUSpecs(
        name=device.name,
        peak_fp16_tflops=device.peak_flops_per_s.get("matrix.f16", 0) / 1e12,
        memory_bandwidth_gb_s=device.memory_bandwidth_bytes_per_s / 1e9,
        sm_count=device.sm_count,
        cuda_cores_per_sm=device.cuda_cores_per_sm,
        memory_size_gb=device.memory_bytes / 2**30,
        compute_capability=device.compute_capability,
    )


class GPUSpecsDatabase:
    """Specifications by name or alias: letter case, punctuation and the maker's name do not count."""

    def get_gpu_specs(self, name: str) -> GPUSpecs:
        """Raises BadInput, a ValueError, that lists the names nearest to one that is unknown."""
        device = ridgepoint.find_device(name)
        if device is None:
            known = ridgepoint.suggested_devices(name)
            raise ridgepoint.BadInput(f"unknown GPU '{name}'; known: {known}")
        return _specs(device)

    get_specs = get_gpu_specs
    __getitem__ = get_gpu_specs

    def list_gpus(self) -> list[str]:
        return [device.name for device in ridgepoint.device_specs()]

    def all_specs(self) -> dict[str, GPUSpecs]:
        return {device.name: _specs(device) for device in ridgepoint.device_specs()}

    def detect_gpu(self) -> GPUSpecs | None:
        """Of this machine's first GPU that is known; None without one, or without a driver."""
        for name in self.detected_names():
            device = ridgepoint.find_device(name)
            if device is not None:
                return _specs(device)
        return None

    def detected_names(self) -> list[str]:
        """What the driver calls this machine's GPUs, known ones or not."""
        return ridgepoint.detected_gpus()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and ridgepoint.find_device(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.list_gpus())

    def __len__(self) -> int:
        return len(ridgepoint.device_specs())
