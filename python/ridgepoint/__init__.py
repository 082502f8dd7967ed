"""Latency, throughput and memory of LLM inference, predicted from measured kernels.

    import ridgepoint

    p = ridgepoint.predict(model="llama-3.1-8b", gpu="h100", input=4096, output=512, batch=16)
    p.ttft_s.value, p.tpot_s.low, p.tpot_s.high, p.total_s.value

What predict() does in one call is made of these parts, as in the C++ library: find_model() and
shipped_tables() read, a Deployment tells which model runs how, a Request what is asked of it, and
predict_request(), memory_of(), batch_curve() and compare() answer. Times are in seconds, sizes in
bytes; wrong arguments and files raise BadInput, a ValueError.
"""

from ridgepoint._core import (
    BEST_BATCH,
    BadInput,
    BatchCurve,
    BatchPoint,
    Call,
    Compared,
    ComparedRow,
    Deployment,
    DeviceInfo,
    DeviceSpec,
    EngineProfile,
    Estimate,
    Experts,
    Fusion,
    HostCost,
    Instance,
    Kernel,
    Limits,
    Memory,
    Model,
    Parallel,
    Phase,
    Precision,
    Prediction,
    Prices,
    Prompt,
    Request,
    RequestPrediction,
    RoleTime,
    Sequences,
    Speculation,
    TableSet,
    active_parameters,
    batch_curve,
    bundled_engines,
    bundled_models,
    compare,
    data_dir,
    device_info,
    device_specs,
    find_device,
    find_engine,
    find_instance,
    find_model,
    first_generation_operators,
    gpus_with_tables,
    instances,
    kv_bytes_per_token,
    lower,
    memory_of,
    model_from_config,
    operators,
    parameters,
    predict_request,
    predict_step,
    read_engine,
    read_model,
    save_engine,
    shipped_tables,
    suggested_devices,
    usual_dtype,
    weight_bytes,
)
from ridgepoint._detect import detect_gpu, detected_gpus
from ridgepoint._shortcuts import best_batch, deployment, memory, predict
from ridgepoint.fine_tuning import FineTuning

__version__ = "0.1.0"

__all__ = [name for name in dir() if not name.startswith("_")]
